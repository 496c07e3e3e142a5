/** Opcodes of RFC 6455 that a server sends us. */
export const TEXT = 1;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** Told about every complete message. The bytes are only good until the call returns. */
export type OnMessage = (payload: Buffer, opcode: number) => void;

/**
 * Cuts what a server sends into its messages, without copying what is complete. Knows what the benchmarks' servers do and
 * no more: no fragments, no masks, no extensions.
 */
export class MessageReader {
  readonly #onMessage: OnMessage;
  #rest: Buffer | undefined;

  constructor(onMessage: OnMessage) {
    this.#onMessage = onMessage;
  }

  /** Bytes of a message that is not complete yet. */
  get waiting(): number {
    return this.#rest?.length ?? 0;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = undefined;
    let at = 0;
    while (bytes.length - at >= 2) {
      const short = bytes[at + 1]!;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length - at < head) break;
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      const end = at + head + length;
      if (end > bytes.length) break;
      this.#onMessage(bytes.subarray(at + head, end), bytes[at]! & 0x0f);
      at = end;
    }
    // The chunk's memory belongs to whoever read it: what is left must be copied.
    if (at < bytes.length) this.#rest = Buffer.from(bytes.subarray(at));
  }
}

/** A message from a client: masked, as it must be, with a mask that changes nothing. */
export function clientMessage(payload: Buffer, opcode = TEXT): Buffer {
  const { length } = payload;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const message = Buffer.alloc(head + 4 + length);
  message[0] = 0x80 | opcode;
  if (head === 2) message[1] = 0x80 | length;
  else if (head === 4) {
    message[1] = 0x80 | 126;
    message.writeUInt16BE(length, 2);
  } else {
    message[1] = 0x80 | 127;
    message.writeBigUInt64BE(BigInt(length), 2);
  }
  payload.copy(message, head + 4);
  return message;
}
