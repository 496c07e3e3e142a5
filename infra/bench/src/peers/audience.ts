import { cursorIn } from '../frames.ts';
import { type Door, openSocket } from '../socket.ts';
import { serve } from './serve.ts';

export interface Arrivals {
  frames: number;
  bytes: number;
  /** Frames whose cursor did not grow. */
  disordered: number;
  /** Frames that are no events. */
  others: number;
  /** The first frame of all, to see what they look like. */
  example?: string;
}

const nothing = (): Arrivals => ({ frames: 0, bytes: 0, disordered: 0, others: 0 });
let arrivals = nothing();

/** Many clients that do as little as possible: count, and check that each one's cursors grow. */
serve({
  async connect({ door, count }: { door: Door; count: number }) {
    for (let begun = 0; begun < count; begun += 25) {
      await Promise.all(Array.from({ length: Math.min(25, count - begun) }, () => join(door)));
    }
  },
  reset() {
    arrivals = nothing();
  },
  read: () => arrivals,
});

async function join(door: Door): Promise<void> {
  let last = -1;
  await openSocket(door, (data) => {
    const cursor = cursorIn(data);
    if (cursor === undefined) {
      arrivals.others++;
      return;
    }
    arrivals.frames++;
    arrivals.bytes += data.length;
    if (cursor <= last) arrivals.disordered++;
    last = cursor;
    arrivals.example ??= data.toString();
  });
}
