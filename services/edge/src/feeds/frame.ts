import type { ServerFrame } from '@toolstream/proto-events';

/**
 * One frame for clients, encoded once whatever number of clients gets it. `ws` holds a complete unmasked WebSocket text
 * message (RFC 6455 §5.2: header, then the JSON), ready to be written to any number of sockets; the SSE form is cut from the
 * same bytes, once, when somebody needs it.
 */
export class Frame {
  readonly ws: Buffer;
  /** What a client resumes with after this frame; the `id` of its SSE form. */
  readonly cursor: string | undefined;
  #sse: Buffer | undefined;

  constructor(ws: Buffer, cursor: string | undefined) {
    this.ws = ws;
    this.cursor = cursor;
  }

  static of(frame: ServerFrame): Frame {
    return Frame.text(JSON.stringify(frame), 'cursor' in frame && frame.type !== 'ack' ? frame.cursor : undefined);
  }

  /** A message in whatever protocol. */
  static text(text: string, cursor?: string): Frame {
    const payload = Buffer.from(text);
    const ws = Buffer.allocUnsafe(headerLength(payload.length) + payload.length);
    payload.copy(ws, writeHeader(ws, payload.length));
    return new Frame(ws, cursor);
  }

  get payload(): Buffer {
    return this.ws.subarray(payloadOffset(this.ws));
  }

  get sse(): Buffer {
    this.#sse ??= sseOf(this.payload, this.cursor);
    return this.#sse;
  }
}

const HEAD = '{"type":"event",';
const TAIL_BYTE = 0x7d; // }

/** Bytes of an `event` frame's JSON before the stored event. Ids and cursors are tokens: nothing in them needs escaping. */
export function eventHead(names: {
  app?: string;
  run: string;
  cursor: string;
  prev: string;
  /** How many events the frame stands for. */
  folded?: number;
}): string {
  const app = names.app === undefined ? '' : `"app":"${names.app}",`;
  const folded = names.folded === undefined || names.folded === 1 ? '' : `"folded":${names.folded},`;
  return `${HEAD}${app}"run":"${names.run}","cursor":"${names.cursor}","prev":"${names.prev}",${folded}"event":`;
}

/** Wraps an event's stored bytes, untouched, into an `event` frame. `head` must be ASCII. */
export function eventFrame(head: string, stored: Uint8Array, cursor: string): Frame {
  const length = head.length + stored.length + 1;
  const ws = Buffer.allocUnsafe(headerLength(length) + length);
  const start = writeHeader(ws, length);
  ws.write(head, start, 'latin1');
  ws.set(stored, start + head.length);
  ws[ws.length - 1] = TAIL_BYTE;
  return new Frame(ws, cursor);
}

/** The stored event's bytes inside a frame that {@link eventFrame} made with this head. */
export const storedBytes = (frame: Frame, head: string): Buffer =>
  frame.ws.subarray(payloadOffset(frame.ws) + head.length, frame.ws.length - 1);

const headerLength = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10);

/** Writes the header of a final, unmasked text message; returns where its payload starts. */
function writeHeader(target: Buffer, length: number): number {
  target[0] = 0x81;
  if (length < 126) {
    target[1] = length;
    return 2;
  }
  if (length < 65_536) {
    target[1] = 126;
    target.writeUInt16BE(length, 2);
    return 4;
  }
  target[1] = 127;
  target.writeBigUInt64BE(BigInt(length), 2);
  return 10;
}

export const payloadOffset = (ws: Buffer, at = 0): number => {
  const length = ws[at + 1]!;
  return at + (length < 126 ? 2 : length === 126 ? 4 : 10);
};

/** Cuts a chunk of concatenated messages into their payloads: what a transport that frames by itself needs. */
export function* payloads(chunk: Buffer): Generator<Buffer> {
  for (let at = 0; at < chunk.length; ) {
    const start = payloadOffset(chunk, at);
    const short = chunk[at + 1]!;
    const length =
      short < 126 ? short : short === 126 ? chunk.readUInt16BE(at + 2) : Number(chunk.readBigUInt64BE(at + 2));
    yield chunk.subarray(start, start + length);
    at = start + length;
  }
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** A line break inside an event's bytes (another encoder's pretty print) would end an SSE field early. */
function sseOf(payload: Buffer, cursor: string | undefined): Buffer {
  const oneLine =
    payload.includes(LINE_FEED) || payload.includes(CARRIAGE_RETURN)
      ? Buffer.from(JSON.stringify(JSON.parse(payload.toString())))
      : payload;
  const head = cursor === undefined ? 'data: ' : `id: ${cursor}\ndata: `;
  return Buffer.concat([Buffer.from(head), oneLine, Buffer.from('\n\n')]);
}
