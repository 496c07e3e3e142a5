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

const CURSORS = /("(?:cursor|prev)":"[^"]*:)\d+"/g;

/** Makes frames like one that was received, each with the cursors that come next. */
export function framesLike(example: string): () => Buffer {
  const [head, afterCursor, afterPrev] = example.split(CURSORS).reduce<[string, string, string]>(
    // split keeps the captured starts: text, start, text, start, text.
    ([a, b, c], part, place) => (place < 2 ? [a + part, b, c] : place < 4 ? [a, b + part, c] : [a, b, c + part]),
    ['', '', ''],
  );
  let seq = 1_000_000;
  return () => {
    seq++;
    return Buffer.from(`${head}${seq}"${afterCursor}${seq - 1}"${afterPrev}`);
  };
}
