/** What one turn at a rate showed: enough to say whether the server had nothing left to give. */
export interface Load {
  /** Events a second that were asked for. */
  readonly rate: number;
  /** Part of one core's time that the serving process used; above 1 with work in other threads. */
  readonly busy: number;
  /** It took noticeably longer than it should have: more is not to be had. */
  readonly late: boolean;
}

/** From here on a process counts as busy: the rest of the time goes to what disturbs every process. */
export const BUSY = 0.9;

/**
 * Offers more and more until the server is busy, or until it, its clients or the machine no longer keep up: then that is as
 * much as can be shown here, and `saturated` says that the server itself was not the limit. `undefined` from `offer`: not
 * everything arrived in the time given, so the rate before counts.
 */
export async function saturate<L extends Load>(
  rates: readonly number[],
  offer: (rate: number) => Promise<L | undefined>,
): Promise<{ readonly load: L; readonly saturated: boolean }> {
  let last: L | undefined;
  for (const rate of rates) {
    const load = await offer(rate);
    if (!load) break;
    last = load;
    if (load.busy >= BUSY || load.late) return { load, saturated: load.busy >= BUSY };
  }
  if (!last) throw new Error(`too_slow: not even ${rates[0]} events a second arrived`);
  return { load: last, saturated: false };
}
