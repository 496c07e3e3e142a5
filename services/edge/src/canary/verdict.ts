import type { Sight } from './follower.ts';

export interface Verdict {
  readonly delivered: number;
  /** In the log, but never received. */
  readonly lost: number;
  /** Received more than once, or without being in the log. */
  readonly repeated: number;
  /** Received in another order than that of the log. */
  readonly disordered: number;
  /** Jumps that nothing announced, snapshots and refusals. */
  readonly breaches: readonly string[];
}

/** What a follower saw, held against the log itself. */
export function judge(log: readonly string[], sight: Pick<Sight, 'ids' | 'breaches'>): Verdict {
  const place = new Map(log.map((id, index) => [id, index]));
  const seen = new Set<string>();
  let repeated = 0;
  let disordered = 0;
  let last = -1;
  for (const id of sight.ids) {
    const at = place.get(id);
    if (at === undefined || seen.has(id)) {
      repeated++;
      continue;
    }
    seen.add(id);
    if (at < last) disordered++;
    last = Math.max(last, at);
  }
  return { delivered: seen.size, lost: log.length - seen.size, repeated, disordered, breaches: sight.breaches };
}

export const isClean = ({ lost, repeated, disordered, breaches }: Verdict): boolean =>
  lost === 0 && repeated === 0 && disordered === 0 && breaches.length === 0;
