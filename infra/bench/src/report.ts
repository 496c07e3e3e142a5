import { median, ratiosOf, type Spread, spreadOf, type Target, type Verdict, verdictOn } from './pairs.ts';

/** One line of the result. */
export interface Row {
  readonly benchmark: string;
  readonly name: string;
  readonly unit: string;
  /** Medians over the rounds; the ratio's median is not their quotient. */
  readonly ours: number;
  readonly floor?: number;
  readonly ratio?: Spread;
  /** Of `ours`, where there is no floor. */
  readonly spread?: Spread;
  readonly target?: Target;
  /** `reported`: a figure without a target. `skipped`: nothing was measured, and a note says why. */
  readonly verdict: Verdict | 'reported' | 'skipped';
  /** What was measured round by round, for whoever wants to judge by themselves. */
  readonly rounds?: { readonly ours: readonly number[]; readonly floor?: readonly number[] };
}

export interface Report {
  readonly rows: readonly Row[];
  /** Lines that explain the figures: where the processor's time went, what was swept. */
  readonly notes: readonly string[];
}

type Place = Pick<Row, 'benchmark' | 'name' | 'unit'>;

/** Ours against its floor. */
export function compared(place: Place, ours: readonly number[], floor: readonly number[], target?: Target): Row {
  const ratio = spreadOf(ratiosOf(ours, floor));
  return {
    ...place,
    ours: median(ours),
    floor: median(floor),
    ratio,
    ...(target ? { target } : {}),
    verdict: target ? verdictOn(ratio, target) : 'reported',
    rounds: { ours, floor },
  };
}

/** A figure against an absolute target, or against none. */
export function measured(place: Place, ours: readonly number[], target?: Target): Row {
  const spread = spreadOf(ours);
  return {
    ...place,
    ours: spread.median,
    spread,
    ...(target ? { target } : {}),
    verdict: target ? verdictOn(spread, target) : 'reported',
    rounds: { ours },
  };
}

/** What could not be measured here: said in its place rather than left out. */
export function skipped(place: Place): Row {
  return { ...place, ours: Number.NaN, verdict: 'skipped' };
}
