import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A TCP connection and everything that came over it; `feed` consumes what it understands and returns the rest. */
export class RawSocket {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #closed = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket, feed: (bytes: Buffer) => Buffer) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data) => {
      this.#rest = feed(this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]));
      this.#wake();
    });
    // A connection that the other side resets has ended, like any other.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static async open(port: number, feed: (bytes: Buffer) => Buffer): Promise<RawSocket> {
    const socket = connect(port, '127.0.0.1');
    const raw = new RawSocket(socket, feed);
    await once(socket, 'connect');
    return raw;
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  get closed(): boolean {
    return this.#closed;
  }

  write(bytes: Buffer | string): void {
    if (!this.#closed) this.#socket.write(bytes);
  }

  /** No more will be written. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Resolves when `what` holds or the connection has ended; rejects when neither happens in time. */
  async until(what: () => boolean, timeoutMs = 20_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!what() && !this.#closed) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error('no answer in time');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
