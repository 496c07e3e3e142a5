import { setTimeout as sleep } from 'node:timers/promises';
import type { Peer } from './peer.ts';
import type { Arrivals } from './peers/audience.ts';

const LOOK_EVERY_MS = 20;

/** Not everything reached the clients in the time given: they take less than they were sent, or something was lost. */
export class FramesMissing extends Error {
  readonly code = 'frames_missing';

  constructor(arrived: number, expected: number) {
    super(`frames_missing: ${arrived} of ${expected} arrived`);
    this.name = 'FramesMissing';
  }
}

/** What all clients of these processes received, once that is everything; fails when something is missing or out of order. */
export async function allArrived(audiences: readonly Peer[], expected: number, withinMs: number): Promise<Arrivals> {
  for (const until = performance.now() + withinMs; ; await sleep(LOOK_EVERY_MS)) {
    const parts = await Promise.all(audiences.map((audience) => audience.call<Arrivals>('read')));
    const sum = (of: 'frames' | 'bytes' | 'disordered') => parts.reduce((total, part) => total + part[of], 0);
    const [frames, disordered] = [sum('frames'), sum('disordered')];
    if (disordered > 0) throw new Error(`frames_disordered: ${disordered} frames had a cursor that did not grow`);
    if (frames === expected) {
      const example = parts[0]?.example;
      const delays = parts.flatMap((part) => part.delays);
      return { frames, bytes: sum('bytes'), disordered, delays, ...(example === undefined ? {} : { example }) };
    }
    if (performance.now() > until) throw new FramesMissing(frames, expected);
  }
}
