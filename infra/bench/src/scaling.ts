import { type ServiceSpec, type StackFacts, toolstreamServices } from '@toolstream/cli';
import { withCleanup } from './cleanup.ts';
import type { BenchOptions } from './options.ts';
import { alternate, quantile } from './pairs.ts';
import { compared, type Report, type Row } from './report.ts';
import { CALLS_PER_RUN, Submitter, toolModule } from './runs.ts';
import { benchStack } from './stack.ts';
import { WAIT_MS } from './tools/waiting.ts';

const TEAM = 4;
const TARGET = { sense: 'at_least', value: 3.5 } as const;

interface Scene {
  readonly slots: number;
  readonly rounds: number;
  readonly judged: boolean;
}

/**
 * Four executors against one, each with the same slots, for tools that wait a tenth of a second. With 8 slots the four
 * need an eighth of what the whole product can do on two cores, so that executors are what is measured; with 16, the default,
 * they need a quarter of it.
 */
export async function scaling({ quick, say }: BenchOptions): Promise<Report> {
  const scenes: Scene[] = [
    { slots: 8, rounds: quick ? 3 : 5, judged: true },
    { slots: 16, rounds: quick ? 1 : 3, judged: false },
  ];
  const rows: Row[] = [];
  for (const scene of scenes) rows.push(await measureScene(scene, quick ? 2 : 3, say));
  return { rows, notes: [] };
}

/** Both pools are up all the time and take turns; the one whose turn it is not does nothing but ask for jobs. */
function measureScene({ slots, rounds, judged }: Scene, seconds: number, say: BenchOptions['say']): Promise<Row> {
  return withCleanup(async (cleanup) => {
    const stack = await benchStack(cleanup, { services: twoPools, env: { SLOTS: String(slots) } });
    const submitter = new Submitter(cleanup, stack);
    const turn = async (pool: 'solo' | 'team', executors: number) => {
      const calls = executors * slots * ((seconds * 1_000) / WAIT_MS);
      const atMost = Math.ceil(calls / CALLS_PER_RUN);
      const { app } = await submitter.submitAndWait({
        tool: `bench-wait-${pool}`,
        seconds: 60,
        unended: atMost,
        atMost,
      });
      return steadyRate(await submitter.endsOf(app));
    };
    const results = await alternate(
      { team: () => turn('team', TEAM), solo: () => turn('solo', 1) },
      { rounds, warmUp: 1, restMs: 200 },
      (round, { team, solo }) =>
        say(
          `SLOTS=${slots}, round ${round + 1}: ${Math.round(team)}/s by ${TEAM} executors, ${Math.round(solo)}/s by one`,
        ),
    );
    const name = `${TEAM} executors / 1, ${WAIT_MS} ms tools, SLOTS=${slots}`;
    const place = { benchmark: 'scaling', name, unit: '/s' };
    return compared(place, results.team, results.solo, judged ? TARGET : undefined);
  });
}

/** Ends per second between the first and the last tenth: while all slots have work. */
function steadyRate(ends: readonly number[]): number {
  return (0.8 * ends.length) / (quantile(ends, 0.9) - quantile(ends, 0.1));
}

function twoPools(facts: StackFacts): ServiceSpec[] {
  const pools = ['solo', ...Array.from({ length: TEAM }, () => 'team')];
  const specs = toolstreamServices({ ...facts, executors: pools.length });
  return specs.map((spec) => {
    const number = /^executor-(\d+)$/.exec(spec.name)?.[1];
    if (number === undefined) return spec;
    const pool = pools[Number(number) - 1];
    return { ...spec, env: { ...spec.env, TOOLSTREAM_POOL: pool, TOOLSTREAM_TOOLS: toolModule(`wait-${pool}`) } };
  });
}
