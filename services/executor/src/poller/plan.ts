import type { Priority } from '@toolstream/proto-events';
import type { WeightedChoice } from './weights.ts';

/** What the poller knows of one consumer. */
export interface Source {
  readonly name: string;
  readonly priority: Priority;
  readonly bucket: number;
  /** Messages known to wait: the newest delivery's pending count, 0 after an empty pull. */
  hint: number;
  /** What its open pull may still bring; a source has one open pull at most. */
  open: number;
  /** Is the open pull a long one? */
  covered: boolean;
  /** When a pull last said how much waits here. */
  heardAt: number;
  /** When it last gave a message. */
  usedAt: number;
  /** No pulls before this time: the consumer is missing and being made anew. */
  blockedUntil: number;
}

export interface PlannedPull<S extends Source = Source> {
  readonly source: S;
  readonly batch: number;
  /** 0: answer at once with what is there. */
  readonly expiresMs: number;
}

/** How long a consumer that no pull covers may go unasked. */
export const SWEEP_MS = 100;
/**
 * How long a pull waits for its message. A waiting pull holds a slot that a burst on another consumer cannot use (a pull
 * cannot be taken back safely), so waits are short: at most a third of a second after a burst begins all slots serve it.
 * An idle executor with 16 slots sends about 70 small requests a second for that.
 */
export const LONG_PULL_MS = 300;

/**
 * Spends the free slots on pulls. The sum of all batches, open and planned, never exceeds the slots.
 * 1. Consumers nobody asked for a while get one immediate pull each, the longest silent first, so that none is passed over
 *    however few slots there are: that is how work is found.
 * 2. Where messages are known to wait, the remaining slots are divided by weight.
 * 3. Slots for what is known to wait behind an open pull are kept until that pull is answered, in a moment: a long pull
 *    elsewhere would hold them while there is work.
 * 4. What is left waits in long pulls, the most recently used consumers first, and only on half the free slots unless
 *    there are plenty: the other half stays ready for what the long pulls bring news of.
 */
export function planPulls<S extends Source>(
  sources: readonly S[],
  freeSlots: number,
  choice: WeightedChoice<S>,
  now: number,
): PlannedPull<S>[] {
  const pulls: PlannedPull<S>[] = [];
  const idle = new Set(sources.filter((source) => source.open === 0 && source.blockedUntil <= now));
  let free = freeSlots;
  const plan = (source: S, batch: number, expiresMs: number) => {
    pulls.push({ source, batch, expiresMs });
    idle.delete(source);
  };

  const stale = [...idle]
    .filter((source) => source.hint === 0 && now - source.heardAt >= SWEEP_MS)
    .sort((a, b) => a.heardAt - b.heardAt || RANK[a.priority] - RANK[b.priority])
    .slice(0, free);
  for (const source of stale) plan(source, 1, 0);
  free -= stale.length;

  const batches = new Map<S, number>();
  while (free > 0) {
    const source = choice.next([...idle].filter((candidate) => candidate.hint > (batches.get(candidate) ?? 0)));
    if (!source) break;
    batches.set(source, (batches.get(source) ?? 0) + 1);
    free -= 1;
  }
  for (const [source, batch] of batches) plan(source, batch, 0);
  free -= Math.min(free, waitingBehindOpenPulls(sources));

  const covered = sources.filter((source) => source.covered).length;
  const all = free + covered;
  const wanted = all > 2 * sources.length ? sources.length : Math.max(1, Math.floor(all / 2));
  const toCover = [...idle]
    .sort((a, b) => b.usedAt - a.usedAt || RANK[a.priority] - RANK[b.priority])
    .slice(0, Math.max(0, Math.min(free, wanted - covered)));
  for (const source of toCover) plan(source, 1, LONG_PULL_MS);
  return pulls;
}

const waitingBehindOpenPulls = (sources: readonly Source[]): number =>
  sources.reduce((sum, { open, covered, hint }) => sum + (open > 0 && !covered ? Math.max(0, hint - open) : 0), 0);

const RANK: Readonly<Record<Priority, number>> = { high: 0, normal: 1, low: 2 };
