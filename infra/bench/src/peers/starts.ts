import { now } from '../clock.ts';

/** A job of the benchmark's own: one with an id notes when its first line ran, one without does nothing. */
export interface BenchJob {
  readonly id?: string;
}

const starts: [id: string, at: number][] = [];

/** What every peer's workers run, and what Toolstream's tools do. */
export function runJob({ id }: BenchJob): { ok: true } {
  if (id !== undefined) starts.push([id, now()]);
  return { ok: true };
}

/** All that were noted since this was asked last. */
export const takeStarts = (): [id: string, at: number][] => starts.splice(0);
