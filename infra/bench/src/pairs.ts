/**
 * Alternated measurements and what may be concluded from them. Ours and its floor take turns on the same machine, so
 * that whatever disturbs one disturbs the other within seconds; only the ratio within one round counts, and its median
 * over the rounds is the result.
 */

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

export function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = ascending(values);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** The quartiles: half of the rounds lie between them. */
  readonly q1: number;
  readonly q3: number;
  readonly rounds: number;
}

export interface Target {
  readonly sense: 'at_least' | 'at_most';
  readonly value: number;
}

export type Verdict = 'pass' | 'missed' | 'inconclusive';

/** Linear interpolation between the two closest ranks; `q` from 0 to 1. */
export function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)]!;
  const high = sorted[Math.ceil(at)]!;
  return low + (high - low) * (at - Math.floor(at));
}

export const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

export const median = (values: readonly number[]): number => quantile(ascending(values), 0.5);

export function spreadOf(values: readonly number[]): Spread {
  const sorted = ascending(values);
  return {
    median: quantile(sorted, 0.5),
    min: quantile(sorted, 0),
    max: quantile(sorted, 1),
    q1: quantile(sorted, 0.25),
    q3: quantile(sorted, 0.75),
    rounds: sorted.length,
  };
}

/** Ours by its floor, round by round. */
export function ratiosOf(ours: readonly number[], floor: readonly number[]): number[] {
  if (ours.length !== floor.length) throw new RangeError(`${ours.length} rounds of ours, ${floor.length} of the floor`);
  return ours.map((value, round) => value / floor[round]!);
}

/**
 * `inconclusive` when the target lies within the quartiles: then every second round could have said the opposite. The
 * extremes are printed but do not decide, because more rounds can only widen them.
 */
export function verdictOn(spread: Spread, target: Target): Verdict {
  if (Number.isNaN(spread.median)) return 'inconclusive';
  const met = (value: number) => (target.sense === 'at_least' ? value >= target.value : value <= target.value);
  if (met(spread.q1) !== met(spread.q3)) return 'inconclusive';
  return met(spread.median) ? 'pass' : 'missed';
}

export type Contenders<K extends string, T> = Readonly<Record<K, () => Promise<T>>>;

export interface Rounds {
  readonly rounds: number;
  /** Rounds before the first that counts: code gets compiled, caches get warm. */
  readonly warmUp: number;
  /** Between two turns, so that what one left to do is not done at the other's cost. */
  readonly restMs: number;
}

/** Lets every contender run once a round, in the order given: A B A B …. Results are by contender, in round order. */
export async function alternate<K extends string, T>(
  contenders: Contenders<K, T>,
  { rounds, warmUp, restMs }: Rounds,
  onRound: (round: number, results: Readonly<Record<K, T>>) => void = () => {},
): Promise<Record<K, T[]>> {
  const names = Object.keys(contenders) as K[];
  const all = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Record<K, T[]>;
  for (let round = -warmUp; round < rounds; round++) {
    const results = {} as Record<K, T>;
    for (const name of names) {
      results[name] = await contenders[name]();
      await new Promise((resolve) => setTimeout(resolve, restMs));
    }
    if (round < 0) continue;
    for (const name of names) all[name].push(results[name]);
    onRound(round, results);
  }
  return all;
}
