import { evolve, toSnapshot } from '@toolstream/domain';
import type { EventFrame, RunState, SnapshotFrame } from '@toolstream/proto-events';
import { cursorIn } from '../frames.ts';
import { LeanSocket } from '../lean.ts';
import type { Door } from '../socket.ts';
import { serve } from './serve.ts';

/** Bytes that it reads at once, and how often: 1 KB a second. */
const SIP = 1_024;
const EVERY_MS = 1_000;

export interface Sipped {
  readonly frames: number;
  /** Events that were sent as part of another. */
  readonly folded: number;
  readonly snapshots: number;
  readonly closed: boolean;
  /** What the frames make, for a client of the edge. */
  readonly state?: unknown;
}

let socket: LeanSocket | undefined;
let timer: NodeJS.Timeout | undefined;
let state: RunState | undefined;
let seq = 0;
let counts = { frames: 0, folded: 0, snapshots: 0 };
let closed = false;

/** One client that reads hardly anything, until it is told to read all. */
serve({
  async connect({ door }: { door: Door }) {
    state = undefined;
    seq = 0;
    counts = { frames: 0, folded: 0, snapshots: 0 };
    closed = false;
    const event = Buffer.from(door.event);
    const received = (payload: Buffer) => take(payload, event);
    socket = await LeanSocket.open(door, {
      sip: SIP,
      onPrelude: received,
      onEvent: received,
      onClose: () => {
        closed = true;
      },
    });
    timer = setInterval(() => socket?.resume(), EVERY_MS);
  },
  /** Reads without a pause, until it has this sequence or the time is over. */
  async finish({ until, withinMs }: { until: number; withinMs: number }): Promise<Sipped> {
    clearInterval(timer);
    const deadline = performance.now() + withinMs;
    while (seq < until && !closed && performance.now() < deadline) {
      for (let sips = 0; sips < 50; sips++) socket?.resume();
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket?.destroy();
    socket = undefined;
    return { ...counts, closed: seq < until && closed, ...(state ? { state: toSnapshot(state, '') } : {}) };
  },
});

function take(payload: Buffer, event: Buffer): void {
  const cursor = cursorIn(payload, event);
  if (cursor !== undefined) {
    counts.frames++;
    seq = cursor;
    if (payload[0] !== 0x7b) return; // Not the edge's: nothing to fold.
    const frame = JSON.parse(payload.toString()) as EventFrame;
    counts.folded += Math.max(0, (frame.folded ?? 1) - 1);
    state = evolve(state, { event: frame.event as never, seq });
    return;
  }
  if (payload[0] !== 0x7b) return;
  const frame = JSON.parse(payload.toString()) as SnapshotFrame | { type: 'other' };
  if (frame.type !== 'snapshot') return;
  counts.snapshots++;
  state = frame.state as RunState;
  seq = Number(frame.cursor.slice(frame.cursor.lastIndexOf(':') + 1));
}
