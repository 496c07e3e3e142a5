import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type ServerFrame, SUBPROTOCOL } from '@toolstream/proto-events';
import { payloadOffset } from '../src/feeds/frame.ts';
import { token, until } from './harness.ts';

const READ_BYTES = 1024;

/**
 * A WebSocket client that reads its connection a kibibyte at a time and only when told to. It answers every ping that it
 * comes to, without positions.
 */
export class RawReader {
  readonly frames: ServerFrame[] = [];
  closeCode: number | undefined;
  bytes = 0;
  readonly #socket: Socket;
  #upgraded = false;
  #rest = Buffer.alloc(0);
  #reading: NodeJS.Timeout | undefined;

  private constructor(url: URL) {
    this.#socket = connect({
      port: Number(url.port),
      host: url.hostname,
      onread: {
        buffer: Buffer.alloc(READ_BYTES),
        callback: (size, buffer) => {
          this.#received(Buffer.from(buffer.subarray(0, size)));
          return this.#reading === undefined;
        },
      },
    });
    this.#socket.on('error', () => {});
    const key = randomBytes(16).toString('base64');
    this.#socket.write(
      `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
    );
  }

  /** Open, greeted and caught up; from then on it reads one kibibyte per `everyMs`. */
  static async hello(url: string, options: { subscribe: object[]; everyMs: number }): Promise<RawReader> {
    const reader = new RawReader(new URL(url));
    await until(() => reader.#upgraded);
    reader.#send(0x1, JSON.stringify({ type: 'hello', token: token(), subscribe: options.subscribe }));
    await until(() => reader.frames.some(({ type }) => type === 'caught_up'));
    reader.#reading = setInterval(() => reader.#socket.resume(), options.everyMs);
    return reader;
  }

  stop(): void {
    clearInterval(this.#reading);
    this.#socket.destroy();
  }

  #received(data: Buffer): void {
    this.bytes += data.length;
    this.#rest = Buffer.concat([this.#rest, data]);
    if (!this.#upgraded) {
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#upgraded = true;
      this.#rest = this.#rest.subarray(end + 4);
    }
    for (;;) {
      const { length } = this.#rest;
      if (length < 2 || length < payloadOffset(this.#rest)) return;
      const start = payloadOffset(this.#rest);
      const short = this.#rest[1]!;
      const size =
        short < 126 ? short : short === 126 ? this.#rest.readUInt16BE(2) : Number(this.#rest.readBigUInt64BE(2));
      if (length < start + size) return;
      const opcode = this.#rest[0]! & 0x0f;
      const payload = this.#rest.subarray(start, start + size);
      this.#rest = this.#rest.subarray(start + size);
      this.#message(opcode, payload);
    }
  }

  #message(opcode: number, payload: Buffer): void {
    if (opcode === 0x9) this.#send(0xa, payload.toString());
    if (opcode === 0x8) this.closeCode = payload.readUInt16BE(0);
    if (opcode !== 0x1) return;
    const frame = JSON.parse(payload.toString()) as ServerFrame;
    this.frames.push(frame);
    if (frame.type === 'ping') this.#send(0x1, JSON.stringify({ type: 'pong' }));
  }

  /** Clients mask what they send; a mask of zeros leaves it readable. */
  #send(opcode: number, text: string): void {
    const payload = Buffer.from(text);
    const head =
      payload.length < 126
        ? Buffer.from([0x80 | opcode, 0x80 | payload.length])
        : Buffer.from([0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
    this.#socket.write(Buffer.concat([head, Buffer.alloc(4), payload]));
  }
}
