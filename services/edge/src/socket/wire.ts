import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { payloads } from '../feeds/frame.ts';

/** Where complete, unmasked WebSocket messages go. */
export interface Wire {
  /** Several messages may be in one chunk. Nothing is written once the socket closes. */
  write(chunks: readonly Buffer[]): void;
  /** Bytes that wait in this process. */
  readonly buffered: number;
  /** `listener` is called whenever `buffered` falls to zero after it was not. */
  onDrain(listener: () => void): void;
  /** Only if so many bytes waited. */
  readonly drainMark: number;
}

/** The parts of `ws` that nobody promised us: looked at once per connection, used only while they are as expected. */
interface Internals {
  readonly _socket: Socket | undefined;
  readonly _sender: { readonly _state: number; readonly _queue: readonly unknown[] } | undefined;
}

/**
 * Frames are made once for all clients, so they are written straight to the connection's socket: one write for several
 * frames, where `ws` would build a header and make two writes for each. That is sound because the server never masks, no
 * extension is negotiated, and `ws`'s own sender (which still writes pongs and the close frame) is idle: it only queues
 * while it compresses. Where any of this does not hold, the payloads go through `ws.send`.
 */
export function wireOf(ws: WebSocket): Wire {
  const { _socket: socket, _sender: sender } = ws as unknown as Internals;
  const asExpected =
    ws.extensions === '' &&
    socket instanceof Duplex &&
    typeof socket.cork === 'function' &&
    sender?._state === 0 &&
    Array.isArray(sender._queue);
  return asExpected ? directWire(ws, socket) : framingWire(ws);
}

/** Chunks up to this size are copied into one write; larger ones are handed over as they are. */
const COPY_BYTES = 64 * 1024;

export const directWire = (ws: WebSocket, socket: Socket): Wire => new DirectWire(ws, socket);

/** A class: there is one for each connection, and a literal with a getter and functions takes ten times the memory. */
class DirectWire implements Wire {
  readonly #ws: WebSocket;
  readonly #socket: Socket;

  constructor(ws: WebSocket, socket: Socket) {
    this.#ws = ws;
    this.#socket = socket;
  }

  get drainMark(): number {
    return this.#socket.writableHighWaterMark;
  }

  get buffered(): number {
    return this.#socket.writableLength;
  }

  write(chunks: readonly Buffer[]): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    const socket = this.#socket;
    if (chunks.length === 1) {
      socket.write(chunks[0]!);
      return;
    }
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.length;
    if (bytes <= COPY_BYTES) {
      socket.write(Buffer.concat(chunks, bytes));
      return;
    }
    socket.cork();
    for (const chunk of chunks) socket.write(chunk);
    socket.uncork();
  }

  onDrain(listener: () => void): void {
    this.#socket.on('drain', listener);
  }
}

export function framingWire(ws: WebSocket): Wire {
  let listener = () => {};
  const sent = () => {
    if (ws.bufferedAmount === 0) listener();
  };
  return {
    drainMark: 0,
    write(chunks) {
      if (ws.readyState !== WebSocket.OPEN) return;
      for (const chunk of chunks) {
        for (const payload of payloads(chunk)) ws.send(payload, { binary: false, compress: false }, sent);
      }
    },
    get buffered() {
      return ws.bufferedAmount;
    },
    onDrain: (given) => {
      listener = given;
    },
  };
}
