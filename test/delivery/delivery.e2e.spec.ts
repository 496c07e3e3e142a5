import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { befall, planWorldFaults, type WorldFault } from './faults.ts';
import { randomOf } from './random.ts';
import { planScenario, Running } from './scenario.ts';
import { World } from './world.ts';

/** `SEED=123 SCENARIOS=1` plays scenario 123 alone, in a world with the faults of its wave. */
const SEED = Number(process.env.SEED ?? 0);
const SCENARIOS = Number(process.env.SCENARIOS ?? 500);
/** Scenarios that share a world and its faults at a time. */
const WAVE = 25;
const SHOWN = 3;

/** Even waves play on one partition, odd ones on three; both kinds at once. */
const PARTITIONS = [1, 3] as const;
let worlds: World[];
beforeAll(async () => {
  worlds = await Promise.all(PARTITIONS.map((partitions) => World.start(partitions)));
});
afterAll(() => Promise.all((worlds ?? []).map((world) => world.stop())));

async function playWave(world: World, wave: number, seeds: readonly number[]): Promise<string[]> {
  const random = randomOf(1_000_003 + wave);
  const { partitions } = world.store;
  const faults: WorldFault[] = planWorldFaults(random, partitions);
  world.store.projectionAnswers = true;
  const running = seeds.map((seed) => new Running(world, planScenario(seed, partitions), faults));
  const repaired = befall(world, faults, {
    random,
    writers: () => running.flatMap(({ writers }) => writers),
    say: (text) => {
      for (const scenario of running) scenario.say(text);
    },
  });
  const verdicts = await Promise.all(running.map((scenario) => scenario.verdict(repaired)));
  const incomplete = running.flatMap((scenario) =>
    scenario.incomplete.map((what) => `${scenario.scenario.seed}: ${what}`),
  );
  if (incomplete.length > 0) console.log(`left with a hole before it was found: ${incomplete.join(', ')}`);
  return verdicts.flat();
}

describe('Delivery under faults', () => {
  it(
    `gives every client every event once and in order, or says so (${SCENARIOS} scenarios from seed ${SEED})`,
    async () => {
      const waves = new Map<number, number[]>();
      for (let seed = SEED; seed < SEED + SCENARIOS; seed++) {
        const wave = Math.floor(seed / WAVE);
        waves.set(wave, [...(waves.get(wave) ?? []), seed]);
      }
      const failures: string[] = [];
      await Promise.all(
        worlds.map(async (world, lane) => {
          for (const [wave, seeds] of waves) {
            if (wave % PARTITIONS.length !== lane || failures.length >= SHOWN) continue;
            failures.push(...(await playWave(world, wave, seeds)));
          }
        }),
      );
      expect(failures.length, failures.slice(0, SHOWN).join('\n\n')).toBe(0);
    },
    60_000 + SCENARIOS * 1_000,
  );
});
