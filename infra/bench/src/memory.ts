import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What `gc-on-signal.ts` listens to. */
const GC_SIGNAL = 'SIGUSR2';
const MIB = 1024 * 1024;
export const mebibytes = (bytes: number): number => bytes / MIB;

/**
 * For servers whose memory is compared: garbage is collected from a small space, which does not grow with what happens to go
 * on while one connects.
 */
export const SMALL_NURSERY: readonly string[] = ['--min-semi-space-size=1', '--max-semi-space-size=1'];

/** Bytes of a process that are in memory. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined)
    throw new Error(`no_memory_figures: /proc/${pid}/status cannot be read: this needs Linux.`);
  return Number(kibibytes) * 1024;
}

const ROUNDS = 12;
const SETTLE_MS = 400;
const STILL_BYTES = MIB / 4;

/**
 * What a process holds on to: it is told to collect garbage (it has imported `gc-on-signal.ts`) until its memory no longer
 * falls, at most {@link ROUNDS} times. The least that was seen counts.
 */
export async function settledBytes(pid: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  let still = 0;
  for (let round = 0; round < ROUNDS && still < 3; round++) {
    process.kill(pid, GC_SIGNAL);
    await sleep(SETTLE_MS);
    const bytes = residentBytes(pid);
    still = bytes < least - STILL_BYTES ? 0 : still + 1;
    least = Math.min(least, bytes);
  }
  return least;
}

/** Watches the memory of a process until the returned function is called; that answers the most that was seen. */
export function watchPeak(pid: number, everyMs = 50): () => number {
  let peak = residentBytes(pid);
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid));
  }, everyMs);
  return () => {
    clearInterval(timer);
    return Math.max(peak, residentBytes(pid));
  };
}
