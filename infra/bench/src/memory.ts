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
  const bytes = bytesOf(pid);
  if (bytes === undefined) {
    throw new Error(
      `no_memory_figures: /proc/${pid}/status cannot be read: this needs Linux and a process that still runs.`,
    );
  }
  return bytes;
}

function bytesOf(pid: number): number | undefined {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}

const ROUNDS = 12;
const SETTLE_MS = 400;
const STILL_BYTES = MIB / 4;
const LOOK_EVERY_MS = 50;

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

/** The most memory that a process was seen to have while `work` went on. */
export async function peakDuring<T>(pid: number, work: () => Promise<T>): Promise<{ peak: number; result: T }> {
  let peak = residentBytes(pid);
  const timer = setInterval(() => {
    // One that is gone is noticed by who works with it, and by the last look.
    peak = Math.max(peak, bytesOf(pid) ?? 0);
  }, LOOK_EVERY_MS);
  try {
    const result = await work();
    return { peak: Math.max(peak, residentBytes(pid)), result };
  } finally {
    clearInterval(timer);
  }
}
