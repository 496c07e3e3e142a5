import { type Draft, fold, toEvent } from '@toolstream/domain';
import { type ServerFrame, serverFrames, type ToolstreamEvent } from '@toolstream/proto-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runFold } from '../../../libs/client/src/fold.ts';
import { beginTrack, type Output, type SubscriptionFrame, step } from '../../../libs/client/src/track.ts';
import { Entry } from '../src/feeds/entry.ts';
import { folds, JOINED_BYTES, joinedEvent } from '../src/feeds/folding.ts';
import { plannedTool } from './hand-run.ts';

const RUN = '0-01ARZ3NDEKTSV4RRFFQ69G5FAV';
const OTHER = '0-01ARZ3NDEKTSV4RRFFQ69G5FAW';
const cursorAt = (seq: number): string => `e.0:${seq}`;
const seqOf = (cursor: string): number => Number(cursor.slice(cursor.lastIndexOf(':') + 1));

function eventOf(draft: Draft, at: number, run = RUN): ToolstreamEvent {
  const stamp = { id: `e-${at}`, source: 'toolstream/test', at: new Date(Date.UTC(2026, 0, 1) + at).toISOString() };
  return toEvent(draft, { run_id: run, tenant: 't1', app: 'a1' }, stamp);
}

/** Entries as a feed would make them: other runs' events lie between, so sequences have holes. */
function entriesOf(events: readonly ToolstreamEvent[], from = 0, app?: string): Entry[] {
  let seq = from;
  return events.map((event, at) => {
    const prev = cursorAt(seq);
    seq += 1 + (at % 3);
    const place = { slot: 0, prev, cursor: cursorAt(seq), positions: [seq], app };
    return new Entry(place, { seq, type: event.type, run: event.runid, data: Buffer.from(JSON.stringify(event)) });
  });
}

/** The frames that one client is sent for these entries, of which it has had everything before `prev`. */
function framesOf(entries: readonly Entry[], prev: string): Extract<ServerFrame, { type: 'event' }>[] {
  return folds(entries).map((range) => {
    const last = range.entries.at(-1)!;
    const frame = last.foldedFrame(prev, last.cursor, range.count, joinedEvent(range));
    prev = last.cursor;
    const text = frame.payload.toString();
    expect(text).toMatch(/("folded":\d+,)?"event":\{"specversion"/);
    return serverFrames.event.parse(JSON.parse(text));
  });
}

const recorded = (frame: { cursor: string; event: unknown }) => ({
  event: frame.event as ToolstreamEvent,
  seq: seqOf(frame.cursor),
});

const plan = {
  ordering: 'parallel' as const,
  priority: 'normal' as const,
  timeout_ms: 3_600_000,
  max_age_ms: 14 * 86_400_000,
  request_hash: 'hash',
  tools: [0, 1, 2].map((index) => plannedTool(index, {})),
};
const accepted: Draft = { type: 'run.accepted.v1', data: plan, writer: 'run' };
const started = (toolindex: number, attempt: number): Draft => ({
  type: 'tool.started.v1',
  data: { dispatch: attempt, executor: 'x', queue_ms: 0 },
  writer: toolindex,
  toolindex,
  attempt,
});
const progress = (toolindex: number, percent: number | undefined, attempt = 1): Draft => ({
  type: 'tool.progressed.v1',
  data: { stage: 'working', ...(percent === undefined ? {} : { progress: percent }) },
  writer: toolindex,
  toolindex,
  attempt,
});
const output = (toolindex: number, text: string, channel = 'stdout', attempt = 1): Draft => ({
  type: 'tool.output.v1',
  data: { channel, text },
  writer: toolindex,
  toolindex,
  attempt,
});
const artifact = { $ref: { artifact: 't1/a', bytes: 1, sha256: 'a'.repeat(64) } };

const tool = fc.nat({ max: 2 });
const attempt = fc.constantFrom(1, 1, 1, 2);
/** Short, empty, wide and long texts; halves of a surrogate pair; more than a state keeps. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', '\ud83d', '\ude00', '\n', 'ü'.repeat(9_000), 'y'.repeat(20_000)),
);
const draft: fc.Arbitrary<Draft> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(tool, fc.option(fc.nat({ max: 100 }), { nil: undefined }), attempt)
      .map(([t, p, a]) => progress(t, p, a)),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(tool, text, fc.constantFrom('stdout', 'stderr'), attempt)
      .map(([t, x, c, a]) => output(t, x, c, a)),
  },
  {
    weight: 1,
    arbitrary: tool.map((t) => ({ ...output(t, 'cut'), data: { channel: 'stdout', text: 'cut', artifact } }) as Draft),
  },
  { weight: 1, arbitrary: fc.tuple(tool, attempt).map(([t, a]) => started(t, a)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(tool, attempt)
      .map(
        ([t, a]): Draft => ({ type: 'tool.checkpointed.v1', data: { state: a }, writer: t, toolindex: t, attempt: a }),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(tool, attempt).map(
      ([t, a]): Draft => ({
        type: 'tool.failed.v1',
        data: { error: { code: 'tool_error', message: 'no' }, retryable: true },
        writer: t,
        toolindex: t,
        attempt: a,
      }),
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom<Draft>({ type: 'run.paused.v1', data: {}, writer: 'run' }) },
  { weight: 1, arbitrary: fc.constantFrom<Draft>({ type: 'run.resumed.v1', data: {}, writer: 'run' }) },
);
const history = fc
  .array(draft, { maxLength: 60 })
  .map((drafts) => [accepted, started(0, 1), started(1, 1), ...drafts].map((given, at) => eventOf(given, at)));
const bounds = { numRuns: 300, seed: 11 } as const;

describe('folded frames', () => {
  it('fold to the same state as all events, whatever they are and wherever the client stood', () => {
    fc.assert(
      fc.property(history, fc.nat(), (events, cut) => {
        const entries = entriesOf(events);
        const had = cut % events.length;
        const log = entries.map((entry) => ({ event: entry.event(), seq: entry.seq }));
        const before = fold(log.slice(0, had));
        const frames = framesOf(entries.slice(had), entries[had]!.prev);
        expect(fold(frames.map(recorded), before)).toEqual(fold(log));
      }),
      bounds,
    );
  });

  it('show exactly the state of the log right after every lifecycle event, and all output up to every cursor', () => {
    fc.assert(
      fc.property(history, (events) => {
        const entries = entriesOf(events);
        const log = entries.map((entry) => ({ event: entry.event(), seq: entry.seq }));
        let state: ReturnType<typeof fold>;
        for (const frame of framesOf(entries, cursorAt(0))) {
          state = fold([recorded(frame)], state);
          const exact = fold(log.filter(({ seq }) => seq <= seqOf(frame.cursor)));
          const { type } = recorded(frame).event;
          if (type !== 'tool.progressed.v1' && type !== 'tool.output.v1') expect(state).toEqual(exact);
          expect(state?.tools.map((t) => t.output)).toEqual(exact?.tools.map((t) => t.output));
        }
      }),
      bounds,
    );
  });

  it('may stop at any of them: what is folded from there on, differently, comes to the same state', () => {
    fc.assert(
      fc.property(history, fc.nat(), (events, at) => {
        const entries = entriesOf(events);
        const log = entries.map((entry) => ({ event: entry.event(), seq: entry.seq }));
        const first = framesOf(entries, cursorAt(0));
        const had = first.slice(0, 1 + (at % first.length));
        const { cursor } = had.at(-1)!;
        const rest = framesOf(
          entries.filter(({ seq }) => seq > seqOf(cursor)),
          cursor,
        );
        expect(fold([...had, ...rest].map(recorded))).toEqual(fold(log));
      }),
      bounds,
    );
  });

  it('keep every lifecycle event in order, chain by prev and count what they stand for', () => {
    fc.assert(
      fc.property(history, (events) => {
        const entries = entriesOf(events);
        const frames = framesOf(entries, cursorAt(0));
        const lifecycle = (type: string) => type !== 'tool.progressed.v1' && type !== 'tool.output.v1';
        expect(
          frames.map((frame) => recorded(frame).event.id).filter((id) => lifecycle(events[Number(id.slice(2))]!.type)),
        ).toEqual(events.filter(({ type }) => lifecycle(type)).map(({ id }) => id));
        let prev = cursorAt(0);
        for (const frame of frames) {
          expect(frame.prev).toBe(prev);
          const within = entries.filter(({ seq }) => seq > seqOf(prev) && seq <= seqOf(frame.cursor)).length;
          expect(frame.folded ?? 1).toBe(within);
          expect(frame.folded).not.toBe(1);
          expect(Object.keys(frame).at(-1)).toBe('event');
          prev = frame.cursor;
        }
        expect(prev).toBe(entries.at(-1)!.cursor);
      }),
      bounds,
    );
  });

  it("are followed by the client library's track without a gap, and reported with their count", () => {
    fc.assert(
      fc.property(history, (events) => {
        const entries = entriesOf(events);
        let track = beginTrack(runFold, { cursor: 'start' });
        const outputs: Output<unknown>[] = [];
        for (const frame of framesOf(entries, cursorAt(0))) {
          const next = step(track, frame as SubscriptionFrame);
          track = next.track;
          outputs.push(...next.outputs);
        }
        expect(outputs.filter(({ type }) => type !== 'event')).toEqual([]);
        const counted = outputs.reduce((sum, out) => sum + (out.type === 'event' ? (out.folded ?? 1) : 0), 0);
        expect(counted).toBe(events.length);
        expect(track.state).toEqual(fold(entries.map((entry) => ({ event: entry.event(), seq: entry.seq }))));
      }),
      { ...bounds, numRuns: 100 },
    );
  });
});

describe('folding', () => {
  const folded = (...drafts: Draft[]) =>
    framesOf(entriesOf(drafts.map((given, at) => eventOf(given, at))), cursorAt(0)).map((frame) => {
      const { type, data } = recorded(frame).event as ToolstreamEvent & { data: { text?: string; progress?: number } };
      return [type.split('.')[1], data.text ?? data.progress, frame.folded ?? 1];
    });

  it('keeps the last percentage of an attempt whose newest progress has none', () => {
    expect(folded(progress(0, 1), progress(0, 2), progress(0, undefined), progress(0, undefined))).toEqual([
      ['progressed', 2, 2],
      ['progressed', undefined, 2],
    ]);
    expect(folded(progress(0, undefined), progress(0, 3))).toEqual([['progressed', 3, 2]]);
  });

  it('keeps the newest progress of each attempt, and joins the output between which nothing is left', () => {
    expect(
      folded(
        progress(0, 1),
        output(0, 'a'),
        progress(0, 2),
        progress(1, 5),
        output(0, 'b'),
        progress(0, 3),
        output(0, 'c'),
      ),
    ).toEqual([
      ['output', 'a', 2],
      ['progressed', 5, 2],
      ['output', 'b', 1],
      ['progressed', 3, 1],
      ['output', 'c', 1],
    ]);
    expect(folded(output(0, 'a'), progress(0, 1), output(0, 'b'), output(0, 'c'), progress(0, 2))).toEqual([
      ['output', 'abc', 4],
      ['progressed', 2, 1],
    ]);
  });

  it('joins neither two channels, nor two tools, nor two attempts, nor what goes on in an artifact', () => {
    const cut = { ...output(0, 'c'), data: { channel: 'stdout', text: 'c', artifact } } as Draft;
    for (const [a, b] of [
      [output(0, 'a'), output(0, 'b', 'stderr')],
      [output(0, 'a'), output(1, 'b')],
      [output(0, 'a'), output(0, 'b', 'stdout', 2)],
      [output(0, 'a'), cut],
      [cut, output(0, 'b')],
    ] as const) {
      expect(folded(a, b)).toHaveLength(2);
    }
  });

  it('passes no lifecycle event', () => {
    const between = (given: Draft) => folded(progress(0, 1), output(0, 'a'), given, output(0, 'b'), progress(0, 2));
    for (const given of [started(1, 1), { type: 'run.paused.v1', data: {}, writer: 'run' } as Draft]) {
      expect(between(given).map(([, , count]) => count)).toEqual([1, 1, 1, 1, 1]);
    }
  });

  it('goes on over the lifecycle of other runs, which are other stretches', () => {
    const events = [
      eventOf(progress(0, 1), 0),
      eventOf(progress(0, 8), 1, OTHER),
      eventOf({ type: 'run.started.v1', data: {}, writer: 'run' }, 2, OTHER),
      eventOf(progress(0, 9), 3, OTHER),
      eventOf(progress(0, 2), 4),
    ];
    const frames = framesOf(entriesOf(events, 0, 'a1'), cursorAt(0));
    expect(frames.map((frame) => [frame.run === RUN, recorded(frame).event.type, frame.folded])).toEqual([
      [false, 'tool.progressed.v1', 2],
      [false, 'run.started.v1', undefined],
      [false, 'tool.progressed.v1', undefined],
      [true, 'tool.progressed.v1', undefined],
    ]);
  });

  it('makes no event larger than a client may expect', () => {
    const events = Array.from({ length: 40 }, (_, at) => eventOf(output(0, 'x'.repeat(30_000)), at));
    const ranges = folds(entriesOf(events));
    expect(ranges).toHaveLength(5);
    for (const range of ranges) expect(joinedEvent(range)!.length).toBeLessThanOrEqual(JOINED_BYTES);
  });

  it('leaves what it does not know alone', () => {
    const future = { ...eventOf(progress(0, 1), 0), type: 'tool.progressed.v9' as never };
    expect(folds(entriesOf([future, future, future])).map(({ count }) => count)).toEqual([1, 1, 1]);
  });
});
