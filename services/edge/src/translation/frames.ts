import type { ServerFrame } from '@toolstream/proto-events';
import type { Chunk } from '../feeds/entry.ts';
import { payloads } from '../feeds/frame.ts';

/** Clients that are in step are given the same bytes: they are decoded once, for all of them. */
const decoded = new WeakMap<Buffer, readonly ServerFrame[]>();

/** The frames that a chunk consists of. They are shared: nobody may change them. */
export function framesOf({ ws }: Chunk): readonly ServerFrame[] {
  const known = decoded.get(ws);
  if (known) return known;
  const frames = Array.from(payloads(ws), (payload) => JSON.parse(payload.toString()) as ServerFrame);
  decoded.set(ws, frames);
  return frames;
}
