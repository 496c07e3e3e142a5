import { now } from '../clock.ts';
import { stampIn } from '../events.ts';
import { cursorIn } from '../frames.ts';
import { LeanSocket } from '../lean.ts';
import type { Door } from '../socket.ts';
import { serve } from './serve.ts';

export interface Arrivals {
  frames: number;
  bytes: number;
  /** Frames whose cursor did not grow. */
  disordered: number;
  /** Milliseconds from the stamp in the event to here, of one client in {@link SAMPLED}. */
  delays: number[];
  /** The first frame of all, to see what they look like. */
  example?: string;
}

const SAMPLED = 25;

const nothing = (): Arrivals => ({ frames: 0, bytes: 0, disordered: 0, delays: [] });
let arrivals = nothing();

/** Many clients that do as little as possible: count, and check that each one's cursors grow. */
serve({
  async connect({ door, count }: { door: Door; count: number }) {
    for (let begun = 0; begun < count; begun += SAMPLED) {
      await Promise.all(
        Array.from({ length: Math.min(SAMPLED, count - begun) }, (_, place) => join(door, place === 0)),
      );
    }
  },
  reset() {
    arrivals = nothing();
  },
  read: () => arrivals,
});

async function join(door: Door, sampled: boolean): Promise<void> {
  const event = Buffer.from(door.event);
  let last = -1;
  await LeanSocket.open(door, {
    onEvent(frame) {
      const cursor = cursorIn(frame, event);
      if (cursor === undefined) return;
      arrivals.frames++;
      arrivals.bytes += frame.length;
      if (cursor <= last) arrivals.disordered++;
      last = cursor;
      const sentAt = sampled ? stampIn(frame) : undefined;
      if (sentAt !== undefined) arrivals.delays.push((now() - sentAt) / 1e6);
      arrivals.example ??= frame.toString();
    },
  });
}
