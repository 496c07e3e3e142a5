import { problemsOfHistory } from '@toolstream/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foldOf, startTestStack, type TestStack, until } from './support/stack.ts';
import { problemsOfWitness, type Witness, witness } from './support/witness.ts';

const RUNS = 50;
const VICTIMS = ['orchestrator-1', 'projection-1', 'executor-1', 'edge-1', 'nats-1', 'postgres-1'] as const;

let t: TestStack;
beforeAll(async () => {
  // A lease of 3 s: what a dead executor held is taken over within seconds.
  t = await startTestStack({ executors: 2, edges: 2, env: { TOOLSTREAM_LEASE_MS: '3000', SLOTS: '32' } });
});
afterAll(() => t?.stop());

const body = (n: number) => ({
  app: `app-${n % 5}`,
  mode: n % 2 === 0 ? ('parallel' as const) : ('sequential' as const),
  tool_calls: [
    { id: 'a', name: 'steps', arguments: { steps: 25, ms: 60 } },
    {
      id: 'b',
      name: 'os-write',
      arguments: { file_path: `src/f${n}.ts`, content: 'export const x = 1;\n'.repeat(50) },
    },
    { id: 'c', name: 'flaky', arguments: { succeed_at: 2 } },
    { id: 'd', name: 'steps', arguments: { steps: 3, ms: 20 } },
  ],
});

describe.each(VICTIMS)('kill -9 of %s in the middle of 50 concurrent runs', (victim) => {
  it('ends every run once, with every witness gapless and Postgres equal to the log', async () => {
    const submitters = [t.client(0), t.client(1)];
    const watchers = [t.client(0), t.client(1)];
    const runs = await Promise.all(
      Array.from({ length: RUNS }, (_, n) =>
        until(
          `run ${n} accepted`,
          60_000,
          async () => (await submitters[n % 2]!.submit(body(n), { idempotencyKey: `${victim}-${n}` })).run_id,
        ),
      ),
    );
    const witnesses = new Map<string, Witness>(runs.map((run, n) => [run, witness(watchers[n % 2]!, run)]));
    await new Promise((resolve) => setTimeout(resolve, 400));

    let ended = 0;
    for (const w of witnesses.values())
      w.done.then(
        () => ended++,
        () => {},
      );
    await Promise.resolve();
    expect(ended, 'runs that had ended before the kill').toBeLessThan(RUNS / 2);
    const pid = t.stack.pidOf(victim)!;
    process.kill(pid, 'SIGKILL');
    await until(`${victim} restarted`, 20_000, () => (t.stack.pidOf(victim) ?? pid) !== pid || undefined);

    const states = await Promise.all([...witnesses.values()].map((w) => w.done));
    expect(states.map((s) => s.status)).toEqual(runs.map(() => 'succeeded'));
    for (const [run, seen] of witnesses) {
      const history = await until(`history of ${run}`, 20_000, () => t.history(run));
      expect(problemsOfHistory(history), run).toEqual([]);
      expect(problemsOfWitness(seen, history), run).toEqual([]);
      const fold = foldOf(history)!;
      const row = await until(`row of ${run}`, 20_000, async () => {
        const state = await t.row(run);
        return state && state.seq >= fold.seq ? state : undefined;
      });
      expect(row).toEqual(JSON.parse(JSON.stringify(fold)));
    }
  });
});
