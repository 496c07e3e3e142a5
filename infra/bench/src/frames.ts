import { now } from './clock.ts';

const EVENT = Buffer.from('{"type":"event"');
const CURSOR = '"cursor":"';
const COLON = 0x3a;
const QUOTE = 0x22;

/** The sequence in an event frame's cursor, without parsing the frame; `undefined` for other frames. */
export function cursorIn(frame: Buffer): number | undefined {
  if (EVENT.compare(frame, 0, EVENT.length) !== 0) return undefined;
  const at = frame.indexOf(CURSOR);
  if (at < 0) return undefined;
  let i = at + CURSOR.length;
  while (i < frame.length && frame[i] !== COLON) i++;
  let seq = 0;
  for (i++; i < frame.length && frame[i] !== QUOTE; i++) seq = seq * 10 + (frame[i]! - 48);
  return seq;
}

const MOVING = /("cursor":"[^"]*:|"prev":"[^"]*:|"id":"t)\d+/g;

/** Makes frames like one that was received, each with the cursors that come next and the time at which it was made. */
export function framesLike(example: string): () => Buffer {
  let seq = 1_000_000;
  return () => {
    seq++;
    const value = (start: string) => (start.startsWith('"cursor') ? seq : start.startsWith('"prev') ? seq - 1 : now());
    return Buffer.from(example.replace(MOVING, (_, start: string) => `${start}${value(start)}`));
  };
}
