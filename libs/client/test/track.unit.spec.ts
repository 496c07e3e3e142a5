import { fold as foldLog } from '@toolstream/domain';
import type { RunState, ServerFrame } from '@toolstream/proto-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runFold } from '../src/fold.ts';
import { parsePlace, seqAt } from '../src/place.ts';
import {
  beginTrack,
  forgotten,
  type Output,
  restarted,
  resumeCursor,
  type SubscriptionFrame,
  step,
  type Track,
} from '../src/track.ts';
import { accepted, anEvent, cursorAt, eventFrame, history, type Recorded, RUN } from './history.ts';

/** What the service would send for a subscription of this log at this cursor. */
function subscription(log: readonly Recorded[], cursor: string | undefined, foldProgress: boolean): ServerFrame[] {
  const frames: ServerFrame[] = [];
  let after = cursor === undefined || cursor === 'start' ? 0 : seqAt(parsePlace(cursor)!, 0);
  let prev = cursor ?? '';
  if (cursor === undefined) {
    const middle = log[Math.floor(log.length / 2)]!.seq;
    const state = foldLog(log.filter(({ seq }) => seq <= middle))!;
    frames.push({ type: 'snapshot', run: RUN, cursor: cursorAt(middle), reason: 'cold', state });
    after = middle;
    prev = cursorAt(middle);
  }
  const missed = log.filter(({ seq }) => seq > after);
  for (let i = 0; i < missed.length; i++) {
    let folded = 1;
    while (foldProgress && sameProgress(missed[i], missed[i + 1])) {
      i += 1;
      folded += 1;
    }
    const recorded = missed[i]!;
    frames.push(eventFrame(recorded, prev, folded > 1 ? { folded } : {}));
    prev = cursorAt(recorded.seq);
  }
  const last = cursorAt(log.at(-1)!.seq);
  return [
    ...frames,
    { type: 'caught_up', run: RUN, cursor: last },
    { type: 'end', run: RUN, cursor: last, status: 'succeeded' },
  ];
}

const sameProgress = (a: Recorded | undefined, b: Recorded | undefined): boolean =>
  a?.event.type === 'tool.progressed.v1' &&
  b?.event.type === 'tool.progressed.v1' &&
  a.event.toolindex === b.event.toolindex;

const play = (track: Track<RunState>, frames: readonly ServerFrame[]) => {
  const outputs: Output<RunState>[] = [];
  let resubscribes = 0;
  for (const frame of frames) {
    const result = step(track, frame as SubscriptionFrame);
    track = result.track;
    outputs.push(...result.outputs);
    if (result.resubscribe) resubscribes += 1;
  }
  return { track, outputs, resubscribes };
};

const log = history([3, 5], [0, 1, 1]);
const types = (outputs: readonly Output<RunState>[]) => outputs.map(({ type }) => type);

describe('a track', () => {
  it('that begins with a snapshot folds what follows onto it', () => {
    const { track, outputs } = play(beginTrack(runFold), subscription(log, undefined, false));
    expect(outputs[0]).toMatchObject({ type: 'snapshot', reason: 'cold' });
    expect(track.state).toEqual(foldLog(log));
    expect(track.phase).toBe('ended');
  });

  it('that begins at the start reports every event', () => {
    const { track, outputs } = play(beginTrack(runFold, { cursor: 'start' }), subscription(log, 'start', false));
    expect(outputs.filter(({ type }) => type === 'event')).toHaveLength(log.length);
    expect(track.state).toEqual(foldLog(log));
  });

  it('that begins at a cursor without a state replays the run and reports only what is new', () => {
    const at = log[6]!.seq;
    const track = beginTrack(runFold, { cursor: cursorAt(at) });
    expect(resumeCursor(track)).toBe('start');
    const played = play(track, subscription(log, 'start', false));
    expect(played.track.state).toEqual(foldLog(log));
    expect(played.outputs.filter(({ type }) => type === 'event')).toHaveLength(log.length - 7);
  });

  it('that begins at a cursor with its state goes on from there', () => {
    const head = log.slice(0, 7);
    const cursor = cursorAt(head.at(-1)!.seq);
    const track = beginTrack(runFold, { cursor, state: foldLog(head)! });
    expect(resumeCursor(track)).toBe(cursor);
    const played = play(track, subscription(log, cursor, false));
    expect(played.track.state).toEqual(foldLog(log));
    expect(played.resubscribes).toBe(0);
  });

  it('ignores what it has had', () => {
    const frames = subscription(log, 'start', false).slice(0, 6);
    const once = play(beginTrack(runFold, { cursor: 'start' }), frames);
    const again = play(once.track, frames);
    expect(again.track).toEqual(once.track);
    expect(again.outputs).toEqual([]);
  });

  it('reports a gap once, asks to resume at the last good cursor, and goes on when the answer joins up', () => {
    const frames = subscription(log, 'start', false);
    const torn = [...frames.slice(0, 3), ...frames.slice(4, 8)];
    const { track, outputs, resubscribes } = play(beginTrack(runFold, { cursor: 'start' }), torn);
    expect(types(outputs)).toEqual(['event', 'event', 'event', 'gap']);
    expect(resubscribes).toBe(1);
    expect(resumeCursor(track)).toBe(cursorAt(log[2]!.seq));
    const resumed = play(track, subscription(log, resumeCursor(track), false));
    expect(resumed.track.state).toEqual(foldLog(log));
  });

  it('notices that the last event was lost, which breaks no chain', () => {
    const frames = subscription(log, 'start', false);
    const withoutLast = [...frames.slice(0, -3), ...frames.slice(-2)];
    const { track, outputs } = play(beginTrack(runFold, { cursor: 'start' }), withoutLast);
    expect(outputs.at(-1)).toMatchObject({ type: 'gap' });
    expect(track.phase).toBe('resyncing');
  });

  it('accepts a folded range that reaches back behind its place', () => {
    const head = log.slice(0, 5);
    const track = beginTrack(runFold, { cursor: cursorAt(head.at(-1)!.seq), state: foldLog(head)! });
    const played = play(track, [eventFrame(log[5]!, cursorAt(log[2]!.seq), { folded: 3 })]);
    expect(played.outputs).toMatchObject([{ type: 'event', folded: 3 }]);
  });

  it('takes joined output only where none of its text came before', () => {
    const begin = accepted(1);
    const output = (seq: number, text: string) => ({
      seq,
      event: anEvent('tool.output.v1', { channel: 'stdout', text }, { toolindex: 0, attempt: 1 }),
    });
    const started = [
      { seq: 1, event: begin },
      { seq: 2, event: anEvent('run.started.v1', {}) },
      {
        seq: 3,
        event: anEvent('tool.queued.v1', { dispatch: 1, tool_seq: 0, cause: 'first' }, { toolindex: 0, onRun: true }),
      },
      {
        seq: 4,
        event: anEvent('tool.started.v1', { dispatch: 1, executor: 'x', queue_ms: 1 }, { toolindex: 0, attempt: 1 }),
      },
    ];
    const parts = [output(5, 'a'), output(6, 'b'), output(7, 'c')];
    const log = [...started, ...parts];
    const head = log.slice(0, 5);
    const track = beginTrack(runFold, { cursor: cursorAt(5), state: foldLog(head)! });
    const joined = (text: string, prev: number) => eventFrame(output(7, text), cursorAt(prev), { folded: 2 });
    const overlapping = play(track, [joined('abc', 4)]);
    expect(overlapping.outputs).toMatchObject([{ type: 'gap', expected: cursorAt(5) }]);
    const resumed = play(overlapping.track, [joined('bc', 5)]);
    expect(resumed.outputs).toMatchObject([{ type: 'event', folded: 2 }]);
    expect(resumed.track.state).toEqual(foldLog(log));
  });

  it('takes a snapshot in place of a position that the log does not have', () => {
    const ahead = { ...foldLog(log.slice(0, 5))!, seq: 9_000 };
    const track = beginTrack(runFold, { cursor: cursorAt(9_000), state: ahead });
    const state = foldLog(log.slice(0, 6))!;
    const frame: ServerFrame = { type: 'snapshot', run: RUN, cursor: cursorAt(state.seq), reason: 'epoch', state };
    expect(play(track, [frame]).track.state).toBe(state);
  });

  it('takes a snapshot of another epoch, and never a snapshot that is older than what it has', () => {
    const { track } = play(beginTrack(runFold, { cursor: 'start' }), subscription(log, 'start', false).slice(0, 8));
    const old = foldLog(log.slice(0, 2))!;
    const older = play(track, [{ type: 'snapshot', run: RUN, cursor: cursorAt(old.seq), reason: 'gap', state: old }]);
    expect(older.track.state).toBe(track.state);
    expect(older.outputs).toEqual([]);
    const foreign: ServerFrame = { type: 'snapshot', run: RUN, cursor: cursorAt(1, 'e2'), reason: 'epoch', state: old };
    expect(play(track, [foreign]).track.state).toBe(old);
  });

  it('takes a snapshot of the very place where it stands, when the service found a hole on the way there', () => {
    const { track } = play(beginTrack(runFold, { cursor: 'start' }), subscription(log, 'start', false).slice(0, 8));
    const cursor = resumeCursor(track)!;
    const state = { ...track.state!, accepted_at: 'of the log' };
    const snapshot = { type: 'snapshot', run: RUN, cursor, state } as const;
    expect(play(track, [{ ...snapshot, reason: 'cold' }]).outputs).toEqual([]);
    const healed = play(track, [{ ...snapshot, reason: 'gap' }]);
    expect(healed.track.state).toBe(state);
    expect(healed.outputs).toMatchObject([{ type: 'snapshot', reason: 'gap', cursor }]);
  });

  it('treats an event of another epoch as a gap', () => {
    const { track } = play(beginTrack(runFold, { cursor: 'start' }), subscription(log, 'start', false).slice(0, 4));
    const frame = { ...eventFrame(log[4]!, cursorAt(log[3]!.seq)), cursor: cursorAt(log[4]!.seq, 'e2') } as ServerFrame;
    expect(play(track, [frame]).outputs).toMatchObject([{ type: 'gap' }]);
  });

  it('waits for a snapshot when it was told to forget', () => {
    const { track } = play(beginTrack(runFold, { cursor: 'start' }), subscription(log, 'start', false).slice(0, 4));
    const played = play(forgotten(track), [eventFrame(log[5]!, cursorAt(log[4]!.seq))]);
    expect(played.resubscribes).toBe(0);
    expect(play(played.track, subscription(log, undefined, false)).track.state).toEqual(foldLog(log));
  });

  it('keeps an event type that it does not know', () => {
    const track = beginTrack(runFold, { cursor: 'start' });
    const first = eventFrame({ event: accepted(1), seq: 3 }, 'start');
    const next = eventFrame({ event: { ...accepted(1), type: 'tool.applauded.v1' } as never, seq: 5 }, cursorAt(3));
    const { outputs } = play(track, [first, next]);
    expect(types(outputs)).toEqual(['event', 'event']);
  });
});

/** One thing that happens on the way between service and client. */
const mishap = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('deliver' as const), n: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('drop' as const), n: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('repeat' as const), n: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reconnect' as const), n: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), n: fc.constant(0) }) },
);

describe('whatever is dropped, repeated or resumed on the way', () => {
  it('a run ends in the fold of its log, and its cursors only grow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(9), { maxLength: 12 }),
        fc.array(mishap, { maxLength: 60 }),
        fc.constantFrom(undefined, 'start'),
        fc.boolean(),
        fc.nat(3),
        (tools, order, mishaps, begin, foldProgress, onTheirWay) => {
          const log = history(tools, order);
          let track: Track<RunState> = beginTrack(runFold, begin === undefined ? {} : { cursor: begin });
          let queue = subscription(log, resumeCursor(track), foldProgress);
          const received: ServerFrame[] = [];
          let last = 0;
          const deliver = (frame: ServerFrame) => {
            received.push(frame);
            const result = step(track, frame as SubscriptionFrame);
            track = result.track;
            for (const output of result.outputs) {
              if (output.type !== 'event' && output.type !== 'snapshot') continue;
              const seq = seqAt(parsePlace(output.cursor)!, 0);
              expect(seq).toBeGreaterThan(last);
              expect(output.state.seq).toBe(seq);
              last = seq;
            }
            // The frames of the subscription before are still on their way when the new one begins.
            if (result.resubscribe) {
              queue = [...queue.slice(0, onTheirWay), ...subscription(log, resumeCursor(track), foldProgress)];
            }
          };
          for (const { kind, n } of mishaps) {
            if (kind === 'deliver') for (const frame of queue.splice(0, n)) deliver(frame);
            else if (kind === 'drop') queue.splice(0, n);
            else if (kind === 'repeat' && received.length > 0)
              deliver(received[received.length - 1 - (n % received.length)]!);
            else if (kind === 'reconnect') {
              track = restarted(track);
              queue = subscription(log, resumeCursor(track), foldProgress);
            } else if (kind === 'forget' && last === 0) {
              track = forgotten(track);
              queue = subscription(log, undefined, foldProgress);
            }
          }
          track = restarted(track);
          queue = subscription(log, resumeCursor(track), foldProgress);
          for (let frame = queue.shift(); frame; frame = queue.shift()) deliver(frame);
          expect(track.phase).toBe('ended');
          expect(track.state).toEqual(foldLog(log));
        },
      ),
      { numRuns: 300, seed: 20260101 },
    );
  });
});
