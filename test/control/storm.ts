import { type Client, ToolstreamError } from '@toolstream/client';
import type { Json, RunCommandName } from '@toolstream/proto-events';
import { type Random, sleep } from '../delivery/random.ts';

/** One way to give commands: a user at one of the two doors. */
export interface Door {
  readonly sub: string;
  readonly admin: boolean;
  readonly kind: 'http' | 'websocket';
  readonly client: Client;
}

/** A command as it was given, and what came back. */
export interface Given {
  readonly sub: string;
  readonly admin: boolean;
  readonly command: RunCommandName;
  readonly index: number | undefined;
  readonly key: string;
  readonly reason: string;
  readonly arguments?: Json;
  readonly cursor?: string;
  readonly code?: string;
}

const MOST_TRIES = 8;

type Wish = Pick<Given, 'command' | 'index' | 'key' | 'reason' | 'arguments'>;

/** Gives a command, and gives it again under the same key as long as the service says that it is busy. */
export async function give(door: Door, run: string, wish: Wish): Promise<Given> {
  for (let tries = 1; ; tries++) {
    const given = await giveOnce(door, run, wish);
    if (given.code !== 'busy' || tries === MOST_TRIES) return given;
    await sleep(40 * tries);
  }
}

async function giveOnce({ client, sub, admin, kind }: Door, run: string, wish: Wish): Promise<Given> {
  const { command, index, key, reason } = wish;
  const args = {
    reason,
    ...(index === undefined ? {} : { index }),
    ...(wish.arguments === undefined ? {} : { arguments: wish.arguments }),
  };
  try {
    const { cursor } =
      kind === 'http'
        ? await client.control(run, command, args, { idempotencyKey: key })
        : await client.command(run, command, args, { id: key });
    return { ...wish, sub, admin, cursor };
  } catch (error) {
    if (!(error instanceof ToolstreamError)) throw error;
    return { ...wish, sub, admin, code: error.code };
  }
}

const CALLS = [
  { name: 'noop', arguments: {} },
  { name: 'steps', arguments: { steps: 8, ms: 60 } },
  { name: 'careful', arguments: { ms: 300 } },
  { name: 'flaky', arguments: { succeed_at: 2 } },
  { name: 'broken', arguments: {} },
  { name: 'ask', arguments: { text: 'as asked' } },
  { name: 'ask-briefly', arguments: { text: 'as asked' } },
  { name: 'ask-bob', arguments: { text: 'as asked' } },
  { name: 'finishing', arguments: { ms: 400 } },
  { name: 'stages', arguments: {} },
  { name: 'deaf', arguments: { ms: 150 } },
] as const;

export function runBody(random: Random, app: string) {
  const calls = Array.from({ length: random.int(2, 4) }, (_, index) => ({ id: `c${index}`, ...random.pick(CALLS) }));
  return { app, mode: random.pick(['parallel', 'parallel', 'sequential'] as const), tool_calls: calls };
}

/** Pauses and resumes balance; a cancel of the run ends the fun, so it is rare. */
const COMMANDS: readonly RunCommandName[] = [
  ...(['pause', 'pause', 'resume', 'resume', 'resume', 'cancel_tool', 'cancel_tool'] as const),
  ...(['retry_tool', 'retry_tool', 'approve_tool', 'approve_tool', 'approve_tool', 'deny_tool'] as const),
  ...(['pause', 'resume', 'approve_tool', 'retry_tool', 'cancel_tool', 'cancel'] as const),
];

function wishOf(random: Random, calls: number, key: string): Wish {
  const command = random.pick(COMMANDS);
  const onRun = command === 'pause' || command === 'resume' || command === 'cancel';
  const index = onRun ? undefined : random.int(0, calls - 1);
  const wish = { command, index, key, reason: `because ${key}` };
  if (command !== 'approve_tool' || !random.chance(0.4)) return wish;
  const arguments_ = random.pick([{ text: 'edited' }, { text: 7 }, { text: 'x'.repeat(40_000) }]);
  return { ...wish, arguments: arguments_ };
}

/**
 * Random commands on one run from several users and doors at once. Some come again with the same key, at once or later, by
 * the other door of the same user.
 */
export async function storm(doors: readonly Door[], run: string, calls: number, random: Random): Promise<Given[]> {
  const given: Promise<Given>[] = [];
  for (let n = random.int(4, 8); n > 0; n--) {
    if (random.chance(0.7)) await sleep(random.int(0, 70));
    const door = random.pick(doors);
    // Long enough to be taken for unique over connections.
    const wish = wishOf(random, calls, `storm-${run}-${n}`);
    given.push(give(door, run, wish));
    if (!random.chance(0.3)) continue;
    const again = random.pick(doors.filter((other) => other !== door && other.sub === door.sub));
    const later = random.chance(0.5) ? 0 : random.int(10, 250);
    given.push(sleep(later).then(() => give(again, run, wish)));
  }
  return Promise.all(given);
}
