import { isRunId, parseEvent } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { accepted, benchRun, lifecycle, progressed, stampedId, stampIn } from '../src/events.ts';
import { cursorIn, framesLike } from '../src/frames.ts';

const EVENT = Buffer.from('{"type":"event"');

describe('events of the benchmarks', () => {
  it('are events of the contract, of runs with ids of the contract', () => {
    const run = benchRun(1);
    expect(isRunId(run.run)).toBe(true);
    expect(benchRun(2).run).not.toBe(run.run);
    const events = [accepted(run, 3), lifecycle(run, 0, 0, 'a'), lifecycle(run, 0, 1, 'b'), progressed(run, 1, 5, 'c')];
    for (const event of events) expect(parseEvent(event)).toEqual(event);
  });

  it('say in their ids when they were sent', () => {
    const bytes = Buffer.from(JSON.stringify(lifecycle(benchRun(1), 0, 0, stampedId(1234567890123, 7))));
    expect(stampIn(bytes)).toBe(1234567890123);
    expect(stampIn(Buffer.from('{"type":"ping"}'))).toBeUndefined();
  });
});

describe('frames like one that was received', () => {
  it('have growing cursors, each after the one before, and a stamp of their own', () => {
    const run = benchRun(1);
    const event = JSON.stringify(lifecycle(run, 0, 0, stampedId(5, 1)));
    const frame = framesLike(
      `{"type":"event","run":"${run.run}","cursor":"ab.0:17","prev":"ab.0:16","event":${event}}`,
    );
    const [first, second] = [frame(), frame()];
    expect(cursorIn(second, EVENT)).toBe(cursorIn(first, EVENT)! + 1);
    expect(JSON.parse(second.toString())).toMatchObject({ prev: JSON.parse(first.toString()).cursor });
    expect(stampIn(second)).toBeGreaterThan(5);
  });

  it('tell events from other frames', () => {
    expect(cursorIn(Buffer.from('{"type":"caught_up","cursor":"ab.0:17"}'), EVENT)).toBeUndefined();
  });
});
