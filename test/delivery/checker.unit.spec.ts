import { type Draft, fold, type Recorded, toEvent, toSnapshot } from '@toolstream/domain';
import type { ServerFrame, ToolstreamEvent } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { judge, problemsOfFold } from './checker.ts';
import { randomOf } from './random.ts';
import type { Entry } from './record.ts';
import { Truth } from './truth.ts';
import { planOf } from './writer.ts';

const RUN = '0-01ARZ3NDEKTSV4RRFFQ69G5FAV';
const TOPIC = `run/${RUN}`;
const EPOCH = 'epoch1';
const cursor = (seq: number): string => `${EPOCH}.0:${seq}`;

/** A run of one tool with `steps` progress events, on every third sequence. */
function history(steps: number): { truth: Truth; events: Recorded[] } {
  const truth = new Truth('app-1', 0);
  truth.addRun(RUN);
  const at = { toolindex: 0, attempt: 1 };
  const drafts: Draft[] = [
    { type: 'run.accepted.v1', data: planOf({ tools: 1, ordering: 'sequential' }), writer: 'run' },
    { type: 'run.started.v1', data: {}, writer: 'run' },
    { type: 'tool.queued.v1', data: { dispatch: 1, tool_seq: 0, cause: 'first' }, writer: 'run', toolindex: 0 },
    { type: 'tool.started.v1', data: { dispatch: 1, executor: 'e', queue_ms: 0 }, writer: 0, ...at },
    ...Array.from(
      { length: steps },
      (_, step): Draft => ({ type: 'tool.progressed.v1', data: { stage: 's', progress: step }, writer: 0, ...at }),
    ),
    { type: 'tool.succeeded.v1', data: { result: null, metrics: {} }, writer: 0, ...at },
  ];
  const events = drafts.map((draft, index) => {
    const stamp = { id: `id-${index}`, source: 's', at: new Date(index).toISOString() };
    return { event: toEvent(draft, { run_id: RUN, tenant: 't1', app: 'app-1' }, stamp), seq: 3 * index + 2 };
  });
  for (const recorded of events) truth.record(RUN, EPOCH, recorded);
  return { truth, events };
}

const entryOf = (frame: ServerFrame, ms: number): Entry => ({ kind: 'frame', frame, ms, connection: 1 });
const eventFrame = ({ event, seq }: Recorded, prev: number): ServerFrame => ({
  type: 'event',
  run: RUN,
  cursor: cursor(seq),
  prev: cursor(prev),
  event: event as unknown as Extract<ServerFrame, { type: 'event' }>['event'],
});

/** What a client is sent that begins at the start, or with a snapshot after `cold` events. */
function stream(events: readonly Recorded[], cold = 0): Entry[] {
  const from = cold === 0 ? 'start' : undefined;
  const entries: Entry[] = [
    { kind: 'opened', ms: 0, connection: 1 },
    { kind: 'subscribe', topic: TOPIC, cursor: from, ms: 0, connection: 1 },
  ];
  let prev = 0;
  if (cold > 0) {
    prev = events[cold - 1]!.seq;
    const state = toSnapshot(fold(events.slice(0, cold))!, cursor(prev));
    entries.push(entryOf({ type: 'snapshot', run: RUN, cursor: cursor(prev), reason: 'cold', state }, 1));
  }
  for (const recorded of events.slice(cold)) {
    entries.push(entryOf(eventFrame(recorded, prev), 2));
    prev = recorded.seq;
  }
  entries.push(entryOf({ type: 'caught_up', run: RUN, cursor: cursor(prev) }, 3));
  return entries;
}

const problems = (entries: readonly Entry[], truth: Truth): string[] => [
  ...judge(entries, truth).problems,
  ...problemsOfFold(entries, truth),
];

/** The entry at `index` with its frame changed. */
function changed(
  entries: readonly Entry[],
  index: number,
  change: (frame: Record<string, unknown>) => object,
): Entry[] {
  const entry = entries[index]! as Extract<Entry, { kind: 'frame' }>;
  return entries.with(index, { ...entry, frame: { ...entry.frame, ...change(entry.frame) } as ServerFrame });
}

describe('The judge of streams', () => {
  it.each([0, 1, 5])('finds nothing wrong with an honest stream that begins behind %i events', (cold) => {
    const { truth, events } = history(20);
    expect(problems(stream(events, cold), truth)).toEqual([]);
  });

  it('finds nothing wrong when a repeated subscription takes over, whatever was still on its way', () => {
    const { truth, events } = history(20);
    const whole = stream(events);
    for (let at = 3; at < whole.length - 1; at++) {
      const { seq } = events[at - 3]!;
      const again: Entry = { kind: 'subscribe', topic: TOPIC, cursor: cursor(seq), ms: 2, connection: 1 };
      const late = whole.slice(at, at + 4);
      const rest = whole.slice(at);
      expect(problems([...whole.slice(0, at), again, ...late.slice(0, -1), ...rest], truth)).toEqual([]);
    }
  });

  const frames = (entries: readonly Entry[]): number[] =>
    entries.flatMap((entry, index) => (entry.kind === 'frame' && entry.frame.type === 'event' ? [index] : []));

  it.each([
    ['removed', (entries: Entry[], at: number) => entries.toSpliced(at, 1)],
    ['repeated', (entries: Entry[], at: number) => entries.toSpliced(at, 0, entries[at]!)],
    [
      'swapped with the next',
      (entries: Entry[], at: number) => entries.toSpliced(at, 2, entries[at + 1]!, entries[at]!),
    ],
    ['given another prev', (entries: Entry[], at: number) => changed(entries, at, () => ({ prev: cursor(1) }))],
    [
      'given another cursor',
      (entries: Entry[], at: number) => changed(entries, at, ({ cursor: was }) => ({ cursor: `${was}1` })),
    ],
    [
      'given another epoch',
      (entries: Entry[], at: number) =>
        changed(entries, at, ({ cursor: was }) => ({ cursor: String(was).replace(EPOCH, 'other') })),
    ],
    ['said to be a fold', (entries: Entry[], at: number) => changed(entries, at, () => ({ folded: 2 }))],
    [
      'given another event',
      (entries: Entry[], at: number) =>
        changed(entries, at, ({ event }) => ({ event: { ...(event as ToolstreamEvent), id: 'x' } })),
    ],
  ])('complains about a frame that was %s, wherever it is', (_what, tamper) => {
    const { truth, events } = history(20);
    for (const cold of [0, 4]) {
      const honest = stream(events, cold);
      for (const at of frames(honest)) {
        expect(problems(tamper(honest, at), truth), `entry ${at}`).not.toEqual([]);
      }
    }
  });

  it('complains about a hole that the frames hide by joining up around it', () => {
    const { truth, events } = history(20);
    for (let gone = 1; gone < events.length - 1; gone++) {
      expect(problems(stream(events.toSpliced(gone, 1)), truth), `event ${gone}`).not.toEqual([]);
    }
  });

  it('complains about snapshots that nobody asked for, that go back, or that say something else than the log', () => {
    const { truth, events } = history(20);
    const state = fold(events.slice(0, 10))!;
    const at = events[9]!.seq;
    const snapshot = (reason: 'cold' | 'gap' | 'epoch', more: object = {}): Entry =>
      entryOf(
        {
          type: 'snapshot',
          run: RUN,
          cursor: cursor(at),
          reason,
          state: { ...toSnapshot(state, cursor(at)), ...more },
        },
        2,
      );
    const honest = stream(events);
    const [before, after] = [honest.slice(0, 12), honest.slice(12)];
    expect(problems([...before, snapshot('gap'), ...after], truth)).toEqual([]);
    expect(problems([...before, snapshot('cold'), ...after], truth)).not.toEqual([]);
    expect(problems([...before, snapshot('epoch'), ...after], truth)).not.toEqual([]);
    expect(problems([...before, snapshot('gap', { status: 'paused' }), ...after], truth)).not.toEqual([]);
    expect(problems([...honest.slice(0, 15), snapshot('gap'), ...after], truth)).not.toEqual([]);
  });

  it('complains about any tampering with a seed, and forgives a hole only where live messages are lost', () => {
    const { truth, events } = history(60);
    const random = randomOf(7);
    for (let round = 0; round < 300; round++) {
      const honest = stream(events, random.int(0, 3));
      const at = random.pick(frames(honest));
      // A stream that merely stops is none that lies.
      const gone = random.int(1, Math.min(3, honest.length - 1 - at));
      const other = honest[random.pick(frames(honest))]!;
      const tampered = random.chance(0.5) ? honest.toSpliced(at, gone) : honest.toSpliced(at, 0, other);
      expect(problems(tampered, truth)).not.toEqual([]);
    }
    const holed = stream(events.toSpliced(30, 1));
    expect(judge(holed, truth, { lossy: true })).toEqual({ problems: [], incomplete: [TOPIC] });
  });
});
