import type { Timing } from './timing.ts';

/** {@link TIMING} of what carries by requests. */
export const REQUEST_TIMING = {
  /** From a request for a stream to its first byte. */
  streamOpenMs: 8_000,
  /** The service writes to every stream at least every 15 s. */
  streamSilenceMs: 40_000,
  pollMinMs: 1_000,
  pollMaxMs: 5_000,
  /** For one answer with all its lines. */
  pollAnswerMs: 30_000,
} as const;
export type ClientTiming = Timing & { readonly [K in keyof typeof REQUEST_TIMING]?: number };
export type RequestTiming = Timing & { readonly [K in keyof typeof REQUEST_TIMING]: number };
