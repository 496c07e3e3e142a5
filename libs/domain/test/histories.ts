import fc from 'fast-check';
import type { Command } from '../src/index.ts';
import { toolsOf, World } from './world.ts';

const ATTEMPTS = ['progress', 'progress', 'succeed', 'fail', 'fail-retryable', 'cancel', 'drain'] as const;
const TOOL_COMMANDS = ['cancel_tool', 'retry_tool', 'approve_tool', 'deny_tool'] as const;

const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), behind: fc.nat(3) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), which: fc.nat(20) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('attempt' as const),
      which: fc.nat(20),
      type: fc.constantFrom(...ATTEMPTS),
      ack: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      type: fc.constantFrom('pause' as const, 'resume' as const, 'cancel' as const),
      id: fc.nat(5),
      behind: fc.nat(3),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('tool' as const),
      type: fc.constantFrom(...TOOL_COMMANDS),
      index: fc.nat(4),
      id: fc.nat(30),
      behind: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('dead' as const), index: fc.nat(4), dispatch: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(10, 2_000, 15_000) }) },
);
export type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

/** What actors may do to a run, in any order, legal or not: the world sees to it that the log stays one. */
export const history = fc.record({
  ordering: fc.constantFrom('sequential' as const, 'parallel' as const, 'graph' as const),
  shapes: fc.array(fc.nat(3), { minLength: 1, maxLength: 5 }),
  actions: fc.array(action, { maxLength: 60 }),
});

const command = fc.oneof(
  fc.record({
    do: fc.constant('run' as const),
    type: fc.constantFrom('pause' as const, 'resume' as const, 'pause' as const, 'resume' as const, 'cancel' as const),
    id: fc.nat(8),
    behind: fc.nat(2),
  }),
  fc.record({
    do: fc.constant('tool' as const),
    type: fc.constantFrom(...TOOL_COMMANDS),
    index: fc.nat(2),
    id: fc.nat(8),
    behind: fc.nat(2),
  }),
);

/** The same with many more commands, of few ids: most come again. */
export const commanded: typeof history = fc.record({
  ordering: fc.constantFrom('sequential' as const, 'parallel' as const, 'graph' as const),
  shapes: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }),
  actions: fc.array(fc.oneof(action, command), { minLength: 20, maxLength: 60 }),
});

/** Told every command and its answer. */
export type Answered = (command: Command, seq: number | undefined) => void;

export function act(world: World, a: Action, answered: Answered = () => {}): void {
  const ask = (command: Command, behind: number): void => answered(command, world.command(command, behind));
  switch (a.do) {
    case 'advance':
      world.command({ type: 'advance' }, a.behind);
      break;
    case 'deliver':
      world.deliver(a.which);
      break;
    case 'attempt':
      world.attempt(a.which, a.type, a.ack);
      break;
    case 'run':
      ask({ type: a.type, id: `r${a.id}`, actor: 'ann' }, a.behind);
      break;
    case 'tool':
      ask({ type: a.type, index: a.index, id: `t${a.id}`, actor: 'ann' }, a.behind);
      break;
    case 'dead':
      world.command({ type: 'dead_letter', index: a.index, dispatch: a.dispatch, message: 'dead' });
      break;
    case 'wait':
      world.clock += a.ms;
  }
}

/** The history played out. */
export function play({
  ordering,
  shapes,
  actions,
}: {
  ordering: 'sequential' | 'parallel' | 'graph';
  shapes: number[];
  actions: Action[];
}): World {
  const world = new World({ ordering, tools: toolsOf(shapes, ordering === 'graph') });
  for (const a of actions) act(world, a);
  return world;
}
