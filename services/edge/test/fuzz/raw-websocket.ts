import { RawSocket } from './raw-socket.ts';

export interface FrameOptions {
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly opcode?: number;
  readonly masked?: boolean;
  /** What the header says instead of the payload's length. */
  readonly length?: number | bigint;
}

/** One frame as RFC 6455 has it, or as it must not be. The mask is all zeros: nobody looks at it. */
export function wsFrame(payload: Buffer, options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, opcode = 1, masked = true, length = payload.length } = options;
  const first = Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]);
  const mask = masked ? 0x80 : 0;
  let size: Buffer;
  if (length < 126) size = Buffer.from([mask | Number(length)]);
  else if (length < 65_536) {
    size = Buffer.from([mask | 126, 0, 0]);
    size.writeUInt16BE(Number(length), 1);
  } else {
    size = Buffer.alloc(9);
    size[0] = mask | 127;
    size.writeBigUInt64BE(BigInt(length), 1);
  }
  return Buffer.concat([first, size, masked ? Buffer.alloc(4) : Buffer.alloc(0), payload]);
}

export const textFrame = (text: string): Buffer => wsFrame(Buffer.from(text));

/** What the server wrote after the upgrade. */
export interface Received {
  text(payload: string): void;
}

/** A WebSocket client without any rule of its own. */
export class RawWebSocket {
  readonly socket: RawSocket;
  /** Of the answer to the upgrade. */
  status = 0;
  head = '';
  closeCode: number | undefined;
  pongs = 0;

  private constructor(socket: RawSocket) {
    this.socket = socket;
  }

  static async open(
    port: number,
    request: { path: string; headers: readonly string[] },
    received: Received,
  ): Promise<RawWebSocket> {
    let client: RawWebSocket | undefined;
    const socket = await RawSocket.open(port, (bytes) => client?.feed(bytes, received) ?? bytes);
    client = new RawWebSocket(socket);
    socket.write(
      [
        `GET ${request.path} HTTP/1.1`,
        'Host: localhost',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        ...request.headers,
        '',
        '',
      ].join('\r\n'),
    );
    const answered = client;
    await socket.until(() => answered.status > 0);
    return client;
  }

  /** Resolves when the server has read everything written before, or has closed. */
  async settled(timeoutMs?: number): Promise<void> {
    const before = this.pongs;
    this.socket.write(wsFrame(Buffer.from('?'), { opcode: 9 }));
    await this.socket.until(() => this.pongs > before || this.closeCode !== undefined, timeoutMs);
  }

  feed(bytes: Buffer, received: Received): Buffer {
    let at = 0;
    if (this.status === 0) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) return bytes;
      this.head = bytes.subarray(0, end).toString('latin1');
      this.status = Number(this.head.split(' ')[1]);
      at = end + 4;
    }
    while (at + 2 <= bytes.length) {
      const opcode = bytes[at]! & 0x0f;
      const short = bytes[at + 1]! & 0x7f;
      const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
      if (start > bytes.length) break;
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      if (start + length > bytes.length) break;
      const payload = bytes.subarray(start, start + length);
      if (opcode === 1) received.text(payload.toString());
      else if (opcode === 8) this.closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      else if (opcode === 10) this.pongs++;
      at = start + length;
    }
    return Buffer.from(bytes.subarray(at));
  }
}
