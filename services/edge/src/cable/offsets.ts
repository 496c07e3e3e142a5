/**
 * One event may become several messages, and a stream's offsets must grow strictly. So a sequence of the log spans 2048
 * offsets: `seq * 2048 + k`, where the messages of one event end at k = 2047 and those of a first drawing (what a snapshot at
 * that sequence shows) at k = 1023. Whoever has the last of them has everything up to `seq`; from any other it can be told
 * what is missing. Offsets are exact in JSON numbers up to a sequence of 4 × 10^12.
 */
export type Part = 'drawing' | 'event';

const SPAN = 2_048;
const LAST: Readonly<Record<Part, number>> = { drawing: 1_023, event: 2_047 };

/** The offset of the message at this place among `count` that belong together. */
export const offsetOf = (part: Part, seq: number, place: number, count: number): number =>
  seq * SPAN + LAST[part] - (count - 1 - place);

export type Reached =
  /** Everything up to this sequence. */
  | { readonly seq: number; readonly part: undefined }
  /** Some messages of what this sequence brought. */
  | { readonly seq: number; readonly part: Part };

/** `undefined` for what is no offset of ours. */
export function readOffset(offset: number): Reached | undefined {
  if (!Number.isSafeInteger(offset) || offset < 1) return undefined;
  const seq = Math.floor(offset / SPAN);
  const k = offset % SPAN;
  if (k === LAST.drawing || k === LAST.event) return { seq, part: undefined };
  return { seq, part: k < LAST.drawing ? 'drawing' : 'event' };
}
