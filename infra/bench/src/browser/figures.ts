import { ascending, median, quantile } from '../pairs.ts';
import type { Seen } from './probe.ts';

export interface Figures {
  /** Milliseconds from an event's arrival in the page to the end of the frame that shows it. */
  readonly p50: number;
  readonly p95: number;
  /** From the time in the event, p95. */
  readonly published: number;
  /** Share of the frames that should have been, and were not. */
  readonly dropped: number;
  /** Events that arrived in a second. */
  readonly rate: number;
  readonly judged: number;
}

/** `frameMs`: how long a frame is when nothing is dropped. */
export function figuresOf({ paints, sincePublished, arrived, frames }: Seen, frameMs: number): Figures {
  const seconds = frames.reduce((sum, ms) => sum + ms, 0) / 1_000;
  const missing = frames.reduce((sum, ms) => sum + Math.max(0, Math.round(ms / frameMs) - 1), 0);
  const sorted = ascending(paints);
  return {
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    published: quantile(ascending(sincePublished), 0.95),
    dropped: missing / (missing + frames.length),
    rate: arrived / seconds,
    judged: paints.length,
  };
}

/** What a browser's frames take, as most of them do. */
export const frameMsOf = ({ frames }: Seen): number => median(frames);
