import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calls, endsOf } from './given.ts';
import { type Running, World } from './harness.ts';
import type { HeldJob } from './held-job.ts';

/** A small seeded generator: a failure can be run again. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const RUNS = 30;
const CALLS = 8;

describe('runs under orchestrators that die at random', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ partitions: 2 });
    await world.jobs();
  });
  afterAll(() => world.stop());

  it('each end exactly once, with every call run to its end and nothing lost', async () => {
    const random = seeded(7);
    let made = 0;
    let finished = false;
    const alive: Running[] = [await world.orchestrator(`o${made++}`), await world.orchestrator(`o${made++}`)];

    const killing = (async () => {
      for (let kills = 0; kills < 6 && !finished; kills++) {
        await new Promise((resolve) => setTimeout(resolve, 300 + random() * 900));
        const victim = alive.splice(random() < 0.5 ? 0 : 1, 1)[0];
        await (random() < 0.7 ? victim?.kill() : victim?.stop());
        alive.push(await world.orchestrator(`o${made++}`));
      }
    })();

    const working = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!finished) {
          const held = await world.takeJob({ expires: 1_000 }).catch(() => undefined);
          if (held) await runAtRandom(held, random);
        }
      }),
    );

    const runs = [];
    for (let i = 0; i < RUNS; i++) {
      const mode = i % 2 === 0 ? 'parallel' : 'sequential';
      const key = `run ${i}`;
      // A submission whose orchestrator died is repeated with its key.
      for (let tries = 0; ; tries++) {
        const reply = await world
          .submit({ calls: calls(CALLS), mode, idempotency_key: key, app: `app${i % 3}` })
          .catch(() => undefined);
        if (reply?.ok) {
          runs.push({ tenant: 'acme', app: `app${i % 3}`, run: reply.run.run_id });
          break;
        }
        if (tries > 20) throw new Error(`run ${i} was not accepted: ${JSON.stringify(reply)}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      await new Promise((resolve) => setTimeout(resolve, random() * 200));
    }
    await killing;
    for (const run of runs) await world.ended(run, 30_000);
    finished = true;
    await working;

    for (const run of runs) {
      const types = await world.types(run);
      expect(endsOf(types)).toEqual(['run.succeeded.v1']);
      expect(types.at(-1)).toBe('run.succeeded.v1');
      expect(types.filter((type) => type === 'tool.succeeded.v1')).toHaveLength(CALLS);
      const state = await world.state(run);
      const dispatches = state?.tools.reduce((sum, { dispatch }) => sum + dispatch, 0) ?? 0;
      expect(types.filter((type) => type === 'tool.queued.v1')).toHaveLength(dispatches);
    }
  }, 120_000);
});

/** Succeeds, or fails once and is retried. A second copy of a job is refused by the fence and dropped. */
async function runAtRandom(held: HeldJob, random: () => number): Promise<void> {
  try {
    await held.claim();
    if (held.job.attempt === 1 && random() < 0.1) await held.fail(true);
    else await held.succeed();
  } catch (error) {
    if ((error as { code?: string }).code !== 'fenced') throw error;
  }
  held.message.ack();
}
