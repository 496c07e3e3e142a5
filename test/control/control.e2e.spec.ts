import { join } from 'node:path';
import { createClient } from '@toolstream/client';
import type { Recorded } from '@toolstream/domain';
import { isRunEnded } from '@toolstream/proto-events';
import { problemsOfHistory } from '@toolstream/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Random, randomOf, sleep } from '../delivery/random.ts';
import { foldOf, startTestStack, type TestStack } from '../support/stack.ts';
import { problemsOfAnswers } from './judge.ts';
import { type Door, type Given, give, runBody, storm } from './storm.ts';

const { CONTROL_SEED = '1', CONTROL_RUNS = '1000' } = process.env;
const SEED = Number(CONTROL_SEED);
const RUNS = Number(CONTROL_RUNS);
const AT_ONCE = 100;
/** After the last command: every call ends by itself, or is asked for once more, well within this. */
const END_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 250;

let t: TestStack;
const doors: Door[] = [];
beforeAll(async () => {
  t = await startTestStack({
    orchestrators: 2,
    executors: 2,
    edges: 2,
    env: {
      TOOLSTREAM_TOOLS: [
        join(import.meta.dirname, '../support/tools.ts'),
        join(import.meta.dirname, 'tools.ts'),
      ].join(),
      SLOTS: '100',
      // A pause hands back within the storm, and a deaf tool is given up within it.
      TOOLSTREAM_PAUSE_HOLD_MS: '150',
      TOOLSTREAM_GRACE_MS: '100',
      TOOLSTREAM_FRAMES_PER_SECOND: '5000',
    },
  });
  const users = [
    { sub: 'ann', admin: true },
    { sub: 'bob', admin: false },
    { sub: 'eve', admin: false },
  ];
  for (const { sub, admin } of users) {
    for (const [number, kind] of (['http', 'websocket', 'websocket'] as const).entries()) {
      const scope = `runs:read runs:write runs:control${admin ? ' admin' : ''}`;
      const client = createClient({ url: t.stack.edgeUrls[number % 2]!, token: () => t.token({ sub, scope }) });
      doors.push({ sub, admin, kind, client });
    }
  }
});
afterAll(async () => {
  for (const { client } of doors) client.close();
  await t?.stop();
});

interface Outcome {
  readonly run: string;
  readonly given: readonly Given[];
  readonly history: readonly Recorded[];
}

async function oneRun(number: number, random: Random): Promise<Outcome> {
  const body = runBody(random, `app-${number % 7}`);
  const { run_id } = await random.pick(doors).client.submit(body, { idempotencyKey: `control-${SEED}-${number}` });
  const given = await storm(doors, run_id, body.tool_calls.length, random);
  return { run: run_id, ...(await calm(run_id, given)) };
}

/** Lets a run come to its end: what is paused goes on, what asks is approved, what is brief expires. */
async function calm(run: string, before: readonly Given[]): Promise<Pick<Outcome, 'given' | 'history'>> {
  const ann = doors[0]!;
  const given = [...before];
  for (const latest = Date.now() + END_WITHIN_MS; ; await sleep(LOOK_EVERY_MS)) {
    const history = await t.history(run);
    const state = foldOf(history)!;
    if (isRunEnded(state.status)) return { given, history };
    if (Date.now() > latest) {
      const waits = state.tools.map(({ name, status }) => `${name} ${status}`).join(', ');
      throw new Error(`${run} hangs: ${state.status}, ${waits}`);
    }
    const wish = (key: string) => ({ key: `calm-${run}-${key}-${given.length}`, reason: 'calm' });
    if (state.status === 'paused') {
      given.push(await give(ann, run, { command: 'resume', index: undefined, ...wish('resume') }));
    }
    for (const { index, status, name } of state.tools) {
      if (status !== 'awaiting_approval' || name === 'ask-briefly') continue;
      given.push(await give(ann, run, { command: 'approve_tool', index, ...wish('approve') }));
    }
  }
}

describe('Commands of several users, over HTTP and WebSockets, on a thousand runs at once', () => {
  it('leave legal histories, each with its answer, and nothing that hangs', async () => {
    const random = randomOf(SEED);
    const waiting = Array.from({ length: RUNS }, (_, number) => number);
    const outcomes: Outcome[] = [];
    const work = async () => {
      for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) {
        outcomes.push(await oneRun(number, random.fork(number)));
      }
    };
    const startedAt = Date.now();
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const took = (Date.now() - startedAt) / 1_000;

    const problems = outcomes.flatMap(({ run, given, history }) =>
      [...problemsOfHistory(history), ...problemsOfAnswers(given, history)].map((problem) => `${run}: ${problem}`),
    );
    const counts = countsOf(outcomes);
    console.log(`${RUNS} runs in ${took.toFixed(0)} s, seed ${SEED}: ${JSON.stringify(counts)}`);
    expect(problems).toEqual([]);
    // The storm was one: every command was carried out, refused, repeated, and overtaken by an end many times.
    if (RUNS < 1_000) return;
    for (const [what, count] of Object.entries(counts)) expect(count, what).toBeGreaterThan(what === 'busy' ? -1 : 5);
  });
});

/** How often each thing happened. */
function countsOf(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = { repeated: 0, noted: 0, expired: 0, held_back: 0, busy: 0 };
  const count = (what: string, by = 1) => {
    counts[what] = (counts[what] ?? 0) + by;
  };
  for (const { given, history } of outcomes) {
    for (const { command, code } of given) count(code === undefined ? command : code);
    count('repeated', given.length - new Set(given.map(({ key }) => key)).size);
    for (const { event } of history) {
      if (event.type === 'run.command_noted.v1') count('noted');
      if (event.type === 'tool.denied.v1' && event.data.expired) count('expired');
      if (event.type === 'tool.released.v1' && event.data.reason === 'paused') count('held_back');
      if (event.type.startsWith('run.') && /succeeded|failed|cancelled/.test(event.type)) count(event.type);
    }
  }
  return counts;
}
