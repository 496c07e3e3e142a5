import { type ServiceSpec, type StackFacts, toolstreamServices } from '@toolstream/cli';
import { withCleanup } from './cleanup.ts';
import type { BenchOptions } from './options.ts';
import { alternate, quantile } from './pairs.ts';
import { compared, type Report } from './report.ts';
import { CALLS_PER_RUN, Submitter, toolModule } from './runs.ts';
import { benchStack } from './stack.ts';
import { WAIT_MS } from './tools/waiting.ts';

const TEAM = 4;
const SLOTS = 16;
const TARGET = { sense: 'at_least', value: 3.5 } as const;

/**
 * Four executors against one, each with the same slots, for tools that wait a tenth of a second. Both pools are up all
 * the time and take turns; the one whose turn it is not does nothing but ask for jobs.
 */
export function scaling({ quick, say }: BenchOptions): Promise<Report> {
  return withCleanup(async (cleanup) => {
    const stack = await benchStack(cleanup, { services: twoPools, env: { SLOTS: String(SLOTS) } });
    const submitter = new Submitter(cleanup, stack);
    const seconds = quick ? 2 : 4;
    const turn = async (pool: 'solo' | 'team', executors: number) => {
      const calls = executors * SLOTS * ((seconds * 1_000) / WAIT_MS);
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
      { rounds: quick ? 3 : 5, warmUp: 1, restMs: 200 },
      (round, { team, solo }) =>
        say(`scaling: round ${round + 1}: ${Math.round(team)}/s by ${TEAM} executors, ${Math.round(solo)}/s by one`),
    );
    const name = `${TEAM} executors / 1, ${WAIT_MS} ms tools, SLOTS=${SLOTS}`;
    return {
      rows: [compared({ benchmark: 'scaling', name, unit: '/s' }, results.team, results.solo, TARGET)],
      notes: [],
    };
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
