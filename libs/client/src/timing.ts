/** How long things take until something is made of them. Fixed; tests shorten what they would have to sit through. */
export const TIMING = {
  /** From dialling to the greeting. */
  greetingMs: 10_000,
  /** No greeting for this long since the first attempt: time to see whether HTTP gets through. */
  slowGreetingMs: 5_000,
  /** A connection or stream that lasted this long held: what went wrong before it is forgotten. */
  steadyMs: 10_000,
  /** On a fallback, a better transport must hold this long before it is taken. */
  holdMs: 5_000,
  /** On a fallback, a better transport is tried this often, and ever more rarely while it does not work. */
  probeMinMs: 10_000,
  probeMaxMs: 120_000,
  /** Whether the service answers over HTTP at all. */
  reachMs: 4_000,
  /** Heard of within this time, a connection need not be asked whether it lives. */
  recentMs: 2_000,
  /** A connection that is asked whether it lives answers within this. */
  aliveMs: 4_000,
} as const;
export type Timing = { readonly [K in keyof typeof TIMING]: number };
