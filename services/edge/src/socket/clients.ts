import { Frame } from '../feeds/frame.ts';

/** A connected client, as the process's housekeeping sees it: a WebSocket or an SSE stream. */
export interface Client {
  readonly kind: 'socket' | 'stream';
  readonly subscriptions: number;
  readonly waitingBytes: number;
  /** Called about once a second: heartbeats, expiry, silence. `ping` is the frame to send where one is due. */
  tick(now: number, ping: Frame): void;
  /** Says goodbye and closes. */
  drain(retryMs: number): void;
  /** Ends what did not close by itself. */
  terminate(): void;
}

const MAX_TICK_MS = 1_000;
/** From the goodbyes to the end of those that do not answer them. */
const GOODBYE_MS = 2_000;

/** Every client of this process. One timer serves all of them. */
export class Clients {
  readonly #clients = new Set<Client>();
  readonly #timer: NodeJS.Timeout;
  readonly #now: () => number;
  #draining = false;

  constructor(heartbeatMs: number, now: () => number = Date.now) {
    this.#now = now;
    this.#timer = setInterval(() => this.#tick(), Math.max(10, Math.min(MAX_TICK_MS, heartbeatMs / 4)));
    this.#timer.unref();
  }

  get size(): number {
    return this.#clients.size;
  }

  get draining(): boolean {
    return this.#draining;
  }

  count(kind: Client['kind']): number {
    let count = 0;
    for (const client of this.#clients) if (client.kind === kind) count++;
    return count;
  }

  sum(of: 'subscriptions' | 'waitingBytes'): number {
    let sum = 0;
    for (const client of this.#clients) sum += client[of];
    return sum;
  }

  add(client: Client): void {
    this.#clients.add(client);
  }

  remove(client: Client): void {
    this.#clients.delete(client);
  }

  /** Sends every client away, told to come back at a time of its own within `spreadMs`; ends within a few seconds. */
  async drain(spreadMs: number): Promise<void> {
    this.#draining = true;
    clearInterval(this.#timer);
    for (const client of [...this.#clients]) client.drain(Math.round(Math.random() * spreadMs));
    const deadline = performance.now() + GOODBYE_MS;
    while (this.#clients.size > 0 && performance.now() < deadline) await new Promise((r) => setTimeout(r, 25));
    for (const client of [...this.#clients]) client.terminate();
  }

  #tick(): void {
    const now = this.#now();
    const ping = Frame.of({ type: 'ping', time: new Date(now).toISOString() });
    for (const client of this.#clients) client.tick(now, ping);
  }
}
