import type { ServerFrame } from '@toolstream/proto-events';
import { SUBPROTOCOL } from '@toolstream/proto-events';
import WebSocket from 'ws';
import { token, until } from './harness.ts';

type FrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

/** A client that keeps everything it is sent. */
export class TestSocket {
  readonly ws: WebSocket;
  readonly frames: ServerFrame[] = [];
  readonly raw: string[] = [];
  closed: { code: number; reason: string } | undefined;

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data) => {
      const text = data.toString();
      this.raw.push(text);
      this.frames.push(JSON.parse(text) as ServerFrame);
    });
    ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    ws.on('error', () => {});
  }

  static async open(url: string, options: { origin?: string; protocols?: string[] } = {}): Promise<TestSocket> {
    const ws = new WebSocket(url, options.protocols ?? [SUBPROTOCOL], options.origin ? { origin: options.origin } : {});
    const socket = new TestSocket(ws);
    await new Promise<void>((resolve, reject) => {
      ws.once('open', () => resolve());
      ws.once('error', reject);
    });
    return socket;
  }

  /** Open and greeted. */
  static async hello(
    url: string,
    options: { token?: string; subscribe?: object[]; origin?: string } = {},
  ): Promise<TestSocket> {
    const socket = await TestSocket.open(url, options.origin ? { origin: options.origin } : {});
    const { subscribe } = options;
    socket.send({ type: 'hello', token: options.token ?? token(), ...(subscribe ? { subscribe } : {}) });
    await socket.next('welcome');
    return socket;
  }

  send(frame: object | string): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  of<T extends ServerFrame['type']>(type: T, about?: { run?: string; app?: string }): FrameOf<T>[] {
    return this.frames.filter(
      (frame): frame is FrameOf<T> =>
        frame.type === type &&
        (about === undefined ||
          Object.entries(about).every(([key, value]) => (frame as Record<string, unknown>)[key] === value)),
    );
  }

  /** The `count`-th frame of a type, waited for. */
  async next<T extends ServerFrame['type']>(type: T, count = 1): Promise<FrameOf<T>> {
    await until(() => this.of(type).length >= count || this.closed !== undefined);
    const frame = this.of(type)[count - 1];
    if (!frame) throw new Error(`closed (${this.closed?.code}) before ${type}: ${JSON.stringify(this.frames.at(-1))}`);
    return frame;
  }

  async close(): Promise<void> {
    this.ws.close();
    await until(() => this.closed !== undefined);
  }

  /** As a lost connection: no close frame. */
  cut(): void {
    this.ws.terminate();
  }

  async closing(): Promise<{ code: number; reason: string }> {
    await until(() => this.closed !== undefined);
    return this.closed!;
  }
}
