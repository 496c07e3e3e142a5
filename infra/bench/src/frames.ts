import type { ToolstreamEvent } from '@toolstream/proto-events';
import { now } from './clock.ts';

const CURSOR = '"cursor":"';
const COLON = 0x3a;
const QUOTE = 0x22;

/**
 * The sequence in an event frame's cursor, without parsing the frame; `undefined` for messages that do not begin as
 * events do.
 */
export function cursorIn(frame: Buffer, event: Buffer): number | undefined {
  if (frame.length < event.length || event.compare(frame, 0, event.length) !== 0) return undefined;
  return numberAfter(frame, CURSOR);
}

const PREV = '"prev":"';

/** The sequence that an event frame follows. */
export const prevIn = (frame: Buffer): number | undefined => numberAfter(frame, PREV);

function numberAfter(frame: Buffer, name: string): number | undefined {
  const at = frame.indexOf(name, 0, 'latin1');
  if (at < 0) return undefined;
  let i = at + name.length;
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

/** A frame as the edge would make it of this event: what {@link framesLike} needs where nothing was received yet. */
export const exampleFrame = (event: ToolstreamEvent): string =>
  `{"type":"event","run":"${event.runid}","cursor":"0123456789ab.0:2","prev":"0123456789ab.0:1","event":${JSON.stringify(event)}}`;
