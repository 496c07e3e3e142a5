import { createConnection, type Socket } from 'node:net';
import { CLOSE, clientMessage, MessageReader, type OnMessage, PING, PONG, TEXT } from './messages.ts';
import type { Door } from './socket.ts';

const OPEN_MS = 30_000;
/** One for all sockets of a process: what is read is looked at before the next read. */
const READ_BUFFER = Buffer.allocUnsafe(256 * 1024);
/** No heartbeat is longer, and hardly anything else is that short. */
const SHORT = 64;
/** Any key does: who connects is not in doubt here. */
const KEY = 'dG9vbHN0cmVhbS1iZW5jaA==';

export interface LeanOptions {
  /** Every text message after the one that said that the client is live. */
  onEvent(payload: Buffer): void;
  /** Every text message up to that one. */
  onPrelude?(payload: Buffer): void;
  onClose?(): void;
  /** Bytes that one read takes at most; after each read the socket waits for {@link LeanSocket.resume}. */
  sip?: number;
}

/**
 * A WebSocket client that costs as little as can be, so that the server is what is measured: no events, no copies, one
 * buffer for all reads. It answers pings, in frames and in the words of Engine.IO.
 */
export class LeanSocket {
  readonly #socket: Socket;
  readonly #door: Door;
  readonly #options: LeanOptions;
  readonly #reader: MessageReader;
  readonly #live: Buffer;
  readonly #opened = Promise.withResolvers<this>();
  #upgraded = false;
  #isLive = false;
  #closed = false;
  #late: NodeJS.Timeout | undefined;
  /** Milliseconds, `performance.now()`. */
  helloAt = Number.NaN;
  liveAt = Number.NaN;

  /** Resolves when the client is live: from then on everything reaches it. */
  static open(door: Door, options: LeanOptions): Promise<LeanSocket> {
    return new LeanSocket(door, options).#opened.promise;
  }

  private constructor(door: Door, options: LeanOptions) {
    this.#door = door;
    this.#options = options;
    this.#live = Buffer.from(door.live);
    this.#reader = new MessageReader(this.#received);
    const { hostname, port } = new URL(door.url);
    const { sip } = options;
    this.#socket = createConnection({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: {
        buffer: sip === undefined ? READ_BUFFER : Buffer.allocUnsafe(sip),
        callback: (bytes, buffer) => {
          this.#read((buffer as Buffer).subarray(0, bytes));
          return sip === undefined || !this.#isLive;
        },
      },
    });
    this.#late = setTimeout(() => this.#fail(`is not live after ${OPEN_MS} ms`), OPEN_MS);
    this.#socket.on('connect', () => this.#socket.write(upgradeRequest(door)));
    this.#socket.on('error', (error) => this.#fail(error.message));
    this.#socket.on('close', () => this.#over());
  }

  send(text: string): void {
    this.#socket.write(clientMessage(Buffer.from(text)));
  }

  /** Reads on, where {@link LeanOptions.sip} made it stop. */
  resume(): void {
    this.#socket.resume();
  }

  /** Gone without a word, as a cable that is pulled; the server sees the connection end. */
  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#upgraded) {
      this.#reader.push(chunk);
      return;
    }
    const end = chunk.indexOf('\r\n\r\n');
    if (end < 0 || !chunk.toString('latin1', 0, 12).endsWith(' 101')) {
      this.#fail(`refused the upgrade: ${chunk.toString('latin1').slice(0, 300)}`);
      return;
    }
    this.#upgraded = true;
    this.helloAt = performance.now();
    if (this.#door.hello !== undefined) this.send(helloText(this.#door.hello));
    if (end + 4 < chunk.length) this.#reader.push(chunk.subarray(end + 4));
  }

  readonly #received: OnMessage = (payload, opcode) => {
    if (opcode !== TEXT) {
      if (opcode === PING) this.#socket.write(clientMessage(payload, PONG));
      else if (opcode === CLOSE) this.#socket.end(clientMessage(payload, CLOSE));
      return;
    }
    const { heartbeat } = this.#door;
    if (heartbeat && payload.length < SHORT && payload.toString('latin1').startsWith(heartbeat.ping)) {
      this.send(heartbeat.pong);
      return;
    }
    if (this.#isLive) {
      this.#options.onEvent(payload);
      return;
    }
    this.#options.onPrelude?.(payload);
    if (this.#live.compare(payload, 0, this.#live.length) !== 0) return;
    this.#isLive = true;
    this.liveAt = performance.now();
    clearTimeout(this.#late);
    this.#opened.resolve(this);
  };

  #fail(what: string): void {
    clearTimeout(this.#late);
    this.#opened.reject(new Error(`socket_failed: ${this.#door.url} ${what}`));
    this.#socket.destroy();
  }

  #over(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#isLive) this.#fail('closed before it was live');
    this.#options.onClose?.();
  }
}

const helloText = (hello: unknown): string => (typeof hello === 'string' ? hello : JSON.stringify(hello));

function upgradeRequest({ url, protocol }: Door): string {
  const { host, pathname, search } = new URL(url);
  return [
    `GET ${pathname}${search} HTTP/1.1`,
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    '\r\n',
  ].join('\r\n');
}
