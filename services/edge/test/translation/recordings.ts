import { readdirSync, readFileSync } from 'node:fs';
import { fold, type Recorded } from '@toolstream/domain';
import {
  isRunEnded,
  type PlannedTool,
  RUN_END_TYPES,
  type RunState,
  type ServerFrame,
  type ToolstreamEvent,
} from '@toolstream/proto-events';
import fc from 'fast-check';
import { event, plannedTool } from '../../../../libs/domain/test/given.ts';
import { history, play } from '../../../../libs/domain/test/histories.ts';
import { World } from '../../../../libs/domain/test/world.ts';

/** A run as the log has it. */
export interface Recording {
  readonly name: string;
  readonly log: readonly Recorded[];
}

const SEED = 20_261;

/** Legal histories of whatever actors may do to a run, played to the run's end. */
export function randomRecordings(count: number): Recording[] {
  return fc.sample(history, { seed: SEED, numRuns: count }).map((h, at) => {
    const world = play(h);
    world.settle();
    return { name: `random history ${at}`, log: varied(world.log) };
  });
}

/** Attempts report only that they go on; here they also measure, and print. */
function varied(log: readonly Recorded[]): Recorded[] {
  return log.map(({ event: e, seq }) => {
    if (e.type !== 'tool.progressed.v1' || seq % 3 === 0) return { event: e, seq };
    if (seq % 3 === 1) {
      const data = { stage: 'writing', message: `line ${seq}`, progress: seq % 100, details: { written: seq } };
      return { event: { ...e, data }, seq };
    }
    const data = { channel: seq % 2 === 0 ? 'stdout' : 'stderr', text: `line ${seq}\n` };
    return { event: { ...e, type: 'tool.output.v1', data } as ToolstreamEvent, seq };
  });
}

/** One of every kind of event, as the contract shows them, though not every one of them is admitted where it stands. */
export function fixtureRecording(): Recording {
  const folder = new URL('../../../../proto-events/fixtures/', import.meta.url);
  const events = readdirSync(folder).map(
    (file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as ToolstreamEvent,
  );
  const first = ['run.accepted.v1', 'run.started.v1', 'tool.queued.v1', 'tool.started.v1', 'tool.progressed.v1'];
  const rank = ({ type }: ToolstreamEvent) => {
    const at = first.indexOf(type);
    return at >= 0 ? at : RUN_END_TYPES.has(type) ? 100 : 50;
  };
  const sorted = events.sort((a, b) => rank(a) - rank(b) || (a.type < b.type ? -1 : 1));
  return { name: 'the fixtures', log: sorted.map((e, at) => ({ event: e, seq: 10 + 7 * at })) };
}

const tools = (...shapes: Partial<PlannedTool>[]) => ({
  tools: shapes.map((shape, index) => plannedTool(index, shape)),
});
const ann = { actor: 'ann' };

/** Each thing that may happen to a call or a run, on purpose. */
export function scriptedRecordings(): Recording[] {
  const played = (name: string, over: ConstructorParameters<typeof World>[0], script: (world: World) => void) => {
    const world = new World(over);
    world.command({ type: 'advance' });
    script(world);
    world.settle();
    return { name, log: varied(world.log) };
  };
  const run = (world: World, which: number) => {
    world.deliver(0);
    for (let step = 0; step < 4; step++) world.attempt(which, 'progress', true);
  };
  return [
    played('a success', { ordering: 'sequential', ...tools({}, {}) }, (world) => {
      run(world, 0);
      world.attempt(0, 'succeed', true);
    }),
    played('a failure', { ordering: 'parallel', ...tools({}, {}) }, (world) => {
      run(world, 0);
      world.attempt(0, 'fail', true);
    }),
    played('a retry', tools({}), (world) => {
      run(world, 0);
      world.attempt(0, 'fail-retryable', true);
      world.command({ type: 'advance' });
    }),
    played('skipped calls', { ordering: 'graph', ...tools({}, { depends_on: [0] }, { depends_on: [1] }) }, (world) => {
      run(world, 0);
      world.attempt(0, 'fail', true);
    }),
    played('a failure that a retry undoes', { ordering: 'parallel', ...tools({}, {}) }, (world) => {
      run(world, 0);
      world.attempt(0, 'fail', true);
      world.command({ type: 'retry_tool', index: 0, id: 'again', ...ann });
    }),
    played('a pause', tools({}, {}), (world) => {
      run(world, 0);
      world.command({ type: 'pause', id: 'p', ...ann });
      world.attempt(0, 'drain', true);
      world.command({ type: 'resume', id: 'r', ...ann });
    }),
    played('a cancelled run', tools({}, {}), (world) => {
      run(world, 0);
      world.command({ type: 'cancel', id: 'c', ...ann });
      world.attempt(0, 'cancel', true);
    }),
    played('a cancelled call', tools({}, {}), (world) => {
      run(world, 0);
      world.command({ type: 'cancel_tool', index: 0, id: 'c', reason: 'enough', ...ann });
      world.attempt(0, 'cancel', true);
    }),
    played('an approval with other arguments', tools({ approval_policy: 'always' }, {}), (world) => {
      world.clock += 10;
      world.command({ type: 'approve_tool', index: 0, id: 'a', arguments: { file_path: 'other' }, ...ann });
    }),
    played(
      'approvals beside a call that runs',
      { ordering: 'parallel', ...tools({ approval_policy: 'always' }, {}, { approval_policy: 'always' }) },
      (world) => {
        run(world, 0);
        world.command({ type: 'deny_tool', index: 2, id: 'd', reason: 'not this one', ...ann });
        world.attempt(0, 'succeed', true);
      },
    ),
    played('a denial', tools({ approval_policy: 'always' }, {}), (world) => {
      world.command({ type: 'deny_tool', index: 0, id: 'd', ...ann });
    }),
    played('a lost attempt', tools({ idempotent: false }, {}), (world) => {
      run(world, 0);
      world.deliver(0);
      world.command({ type: 'advance' });
    }),
    played('a superseded attempt', tools({}, {}), (world) => {
      run(world, 0);
      world.deliver(0);
      world.attempt(0, 'progress', true);
      world.attempt(1, 'progress', true);
      world.attempt(0, 'succeed', true);
    }),
    played('calls that cannot run', tools({ rejection: { code: 'unknown_tool', message: 'no' } }, {}), () => {}),
    played(
      'broken arguments',
      tools({ arguments: '{"a":', rejection: { code: 'invalid_arguments', message: 'no' } }),
      () => {},
    ),
    played('a run that takes too long', { timeout_ms: 5_000, ...tools({}, {}) }, (world) => {
      run(world, 0);
      world.clock += 30_000;
      world.command({ type: 'advance' });
      world.attempt(0, 'cancel', true);
    }),
    { name: 'nothing but its acceptance', log: [{ event: event('run.accepted.v1', acceptedData()), seq: 1 }] },
  ];
}

const acceptedData = () => (new World().log[0]!.event as Extract<ToolstreamEvent, { type: 'run.accepted.v1' }>).data;

export const stateAt = ({ log }: Recording, events: number): RunState => fold(log.slice(0, events))!;
export const lastState = (recording: Recording): RunState => stateAt(recording, recording.log.length);

export const cursorOf = (seq: number): string => `e1.0:${seq}`;

/**
 * What a subscription without a cursor is sent that comes when `events` of the log are there and is caught up after
 * `behind` more; to the log's present end. A client that is `slow` is told only by snapshots after that.
 */
export function* framesFrom(recording: Recording, events: number, behind = 0, slow = 0): Generator<ServerFrame> {
  const { log } = recording;
  const run = stateAt(recording, 1).run_id;
  const at = (index: number) => cursorOf(log[index]!.seq);
  const snapshot = (count: number, reason: 'cold' | 'slow'): ServerFrame => {
    const cursor = at(count - 1);
    return { type: 'snapshot', run, cursor, reason, state: { ...stateAt(recording, count), cursor } };
  };
  yield snapshot(events, 'cold');
  const target = Math.min(log.length, events + behind);
  for (let next = events; next <= log.length; next++) {
    if (next === target) yield { type: 'caught_up', run, cursor: at(next - 1) };
    const recorded = log[next];
    if (!recorded) break;
    if (slow > 0 && next >= target) {
      next = Math.min(log.length, next + slow) - 1;
      yield snapshot(next + 1, 'slow');
      continue;
    }
    yield { type: 'event', run, cursor: at(next), prev: at(next - 1), event: recorded.event as never };
  }
  const { status } = lastState(recording);
  if (isRunEnded(status)) yield { type: 'end', run, cursor: at(log.length - 1), status };
}
