import { fold } from '@toolstream/domain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { history as anyHistory, play } from '../../../../libs/domain/test/histories.ts';
import { PAGE } from '../../src/views/timeline/model/bodies.ts';
import { Checkpoints } from '../../src/views/timeline/model/checkpoints.ts';
import { type EventHistory, isMissing } from '../../src/views/timeline/model/event-history.ts';
import { FilteredEvents, NO_FILTER } from '../../src/views/timeline/model/filter.ts';
import { nextMoment, previousMoment } from '../../src/views/timeline/model/moments.ts';
import { historyOf, RunLog } from './run-log.ts';

/** Calls that report a lot: `events` events and a few more. */
function long(events: number): RunLog {
  const log = new RunLog([{}, {}]).queued(1, 0).started(2, 0);
  for (let n = 0; n < events; n++) {
    const type = n % 5 === 0 ? 'tool.output.v1' : 'tool.progressed.v1';
    const data = n % 5 === 0 ? { channel: 'stdout', text: `line ${n}\n` } : { stage: 'works', progress: n % 100 };
    log.own(3 + n, 0, 1, type, data);
  }
  return log.succeeded(events + 3, 0).queued(events + 4, 1);
}

/** What a page of the edge's history would bring. */
function fetchPage(history: EventHistory, log: RunLog, page: number): void {
  const { after, count } = history.pageStart(page);
  const behind = log.events.slice(after === 0 ? 0 : (after - 10) / 3 + 1).slice(0, count);
  history.restore(page, behind, JSON.stringify(behind).length);
}

describe('the state at an event', () => {
  it('is the fold of the log up to it, in whatever order moments are looked at', () => {
    fc.assert(
      fc.property(anyHistory, fc.array(fc.nat(10_000), { minLength: 5, maxLength: 30 }), (what, moments) => {
        const { log } = play(what);
        const history = historyOf(log);
        for (const moment of moments) {
          const index = moment % log.length;
          expect(history.stateAt(index)).toEqual(fold(log.slice(0, index + 1)));
        }
      }),
      { seed: 11, numRuns: 40 },
    );
  });

  it('is near a kept state in a long run', () => {
    const log = long(3_000);
    const history = log.history();
    for (const index of [0, 1, PAGE - 1, PAGE, PAGE + 1, 2_999, 2_998, 5, history.length - 1]) {
      const recorded = log.events.slice(0, index + 1).map((event, at) => ({ event, seq: 10 + at * 3 }));
      expect(history.stateAt(index)).toEqual(fold(recorded));
    }
  });

  it('needs the events of a page that was dropped, and is right once they are back', () => {
    const log = long(3_000);
    const history = log.history({ bytes: 200_000 });
    const whole = log.history();
    expect(history.eventAt(300)).toBeUndefined();
    expect(history.eventAt(history.length - 1)).toBeDefined();
    const state = history.stateAt(700);
    expect(state).toEqual({ missing: 2 });
    fetchPage(history, log, 2);
    expect(history.stateAt(700)).toEqual(whole.stateAt(700));
    expect(history.eventAt(700)).toEqual(log.events[700]);
  });

  it('is found however thinly states are kept', () => {
    const checkpoints = new Checkpoints({ count: 4, weight: Number.POSITIVE_INFINITY });
    const history = long(10).history();
    const state = history.head!;
    for (let index = 0; index < 5_000; index++) checkpoints.offer(index, state);
    expect(checkpoints.count).toBeLessThanOrEqual(4);
    expect([0, 1, 2_047, 2_048, 4_999].map((index) => checkpoints.before(index)?.index)).toEqual([
      0, 0, 0, 2_048, 4_096,
    ]);
  });

  it('weighs what states do not share, and keeps fewer where that is much', () => {
    const log = new RunLog([{}]).queued(1, 0).started(2, 0);
    for (let n = 0; n < 2_000; n++)
      log.own(3 + n, 0, 1, 'tool.output.v1', { channel: 'stdout', text: 'x'.repeat(100) });
    const checkpoints = new Checkpoints({ count: 256, weight: 40_000 });
    const history = log.history();
    for (let index = 0; index < history.length; index += 256) checkpoints.offer(index, stateOf(history, index));
    expect(checkpoints.stride).toBeGreaterThan(256);
    expect(checkpoints.before(history.length)?.index).toBeGreaterThan(0);
  });
});

function stateOf(history: EventHistory, index: number) {
  const state = history.stateAt(index);
  if (isMissing(state)) throw new Error('dropped');
  return state;
}

describe('a history', () => {
  it('ignores what it knows already, as a stream that is resumed repeats it', () => {
    const log = long(20);
    const history = log.history();
    const { length } = history;
    expect(history.append(log.events[3]!, 19, 10)).toBe(false);
    expect(history.length).toBe(length);
  });

  it('keeps no more than its budget of events, and the newest page always', () => {
    const history = long(4_000).history({ bytes: 100_000 });
    const kept = Array.from({ length: history.length }, (_, index) => history.eventAt(index)).filter(Boolean).length;
    expect(kept).toBeLessThan(2 * PAGE);
    expect(kept).toBeGreaterThan(0);
  });

  it('beyond its limit goes on folding and says how many events it does not show', () => {
    const log = long(100);
    const history = log.history({ events: 50 });
    expect([history.length, history.beyond]).toEqual([50, log.events.length - 50]);
    expect(history.head).toEqual(log.history().head);
    expect(history.spans.calls.map((bars) => bars.length)).toEqual(
      log.history().spans.calls.map((bars) => bars.length),
    );
    expect(history.spans.calls[0]!.at(-1)).toMatchObject({ outcome: 'succeeded', last: 49 });
    expect(history.stateAt(49)).toEqual(log.history().stateAt(49));
  });

  it('finds the last event at or before a position, which is what a cursor stands for', () => {
    const { columns } = long(5).history();
    expect([9, 10, 12, 13, 14, 1_000].map((seq) => columns.atOrBefore(seq))).toEqual([
      -1,
      0,
      0,
      1,
      1,
      columns.length - 1,
    ]);
  });

  it('finds the last event at or before a time', () => {
    const { columns } = long(5).history();
    const origin = columns.time(0);
    expect([-5, 0, 2, 4.5, 1e9].map((time) => columns.atTime(origin + time))).toEqual([0, 1, 3, 5, columns.length - 1]);
  });
});

describe('lifecycle moments', () => {
  it('lead over reports, forwards and backwards', () => {
    const { notable, columns } = long(10).history();
    expect(notable.map((index) => columns.type(index))).not.toContain('tool.progressed.v1');
    expect(nextMoment(notable, 3)).toBe(14);
    expect(previousMoment(notable, 14)).toBe(3);
    expect(previousMoment(notable, 9)).toBe(3);
    expect(nextMoment(notable, columns.length - 1)).toBeUndefined();
    expect(previousMoment(notable, 0)).toBeUndefined();
  });
});

describe('a filter of events', () => {
  it('by type and call finds the same whether the events were there before or come later', () => {
    const log = long(40);
    const filter = { types: new Set(['tool.queued.v1', 'tool.output.v1']), calls: new Set([0]) };
    const history = historyOf([]);
    const early = new FilteredEvents(filter, history.columns);
    log.events.forEach((event, index) => {
      history.append(event, 10 + index * 3, 10);
      if (index % 7 === 0) early.update();
    });
    const found = new FilteredEvents(filter, history.columns).update();
    expect(early.update()).toEqual(found);
    expect(found.map((index) => log.events[index]!.toolindex)).not.toContain(1);
    expect(found).toHaveLength(9);
    expect(found.map((index) => early.rowOf(index))).toEqual(found.map((_, row) => row));
    expect(early.rowOf(5)).toBeUndefined();
    expect(new FilteredEvents(NO_FILTER, history.columns).update()).toHaveLength(history.length);
    expect(new FilteredEvents({ ...NO_FILTER, calls: new Set(['run']) }, history.columns).update()).toEqual([0, 1]);
  });
});
