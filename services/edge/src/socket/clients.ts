import type { Principal } from '../auth/principal.ts';
import { Frame } from '../feeds/frame.ts';

/** A connected client, as the process's housekeeping sees it: a WebSocket or an SSE stream. */
export interface Client {
  readonly kind: 'socket' | 'stream';
  /** Whose it is, once that is known. */
  readonly caller: Principal | undefined;
  readonly subscriptions: number;
  readonly waitingBytes: number;
  /** Called about once a second: heartbeats, expiry, silence. `ping` is the frame to send where one is due. */
  tick(now: number, ping: Frame): void;
  /** Its token was revoked: says so and closes, not to come back. */
  revoke(): void;
  /** Says goodbye and closes. */
  drain(retryMs: number): void;
  /** Ends what did not close by itself. */
  terminate(): void;
}

const MAX_TICK_MS = 1_000;

/** Every client of this process. One timer serves all of them. */
export class Clients {
  readonly #clients = new Set<Client>();
  readonly #timer: NodeJS.Timeout;
  readonly #now: () => number;
  #isRevoked: (principal: Principal) => boolean = () => false;
  #leaving = false;
  #draining = false;
  #onEmpty: (() => void) | undefined;

  constructor(heartbeatMs: number, now: () => number = Date.now) {
    this.#now = now;
    this.#timer = setInterval(() => this.#tick(), Math.max(10, Math.min(MAX_TICK_MS, heartbeatMs / 4)));
    this.#timer.unref();
  }

  get size(): number {
    return this.#clients.size;
  }

  /** The process is about to drain: no longer ready, though it still takes who comes. */
  get leaving(): boolean {
    return this.#leaving;
  }

  /** Nobody new is taken. */
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
    // Its token was checked before what it asked for was looked up; a revocation that came meanwhile did not find it here.
    if (client.caller) setImmediate(() => this.#judge(client));
  }

  remove(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#onEmpty?.();
  }

  all(): Client[] {
    return [...this.#clients];
  }

  leave(): void {
    this.#leaving = true;
  }

  refuseNew(): void {
    this.#leaving = true;
    this.#draining = true;
  }

  /** Says who is revoked, from now on. */
  judgeBy(isRevoked: (principal: Principal) => boolean): void {
    this.#isRevoked = isRevoked;
  }

  /** Ends the connections of those that are revoked. */
  revoke(): void {
    for (const client of this.all()) this.#judge(client);
  }

  /** Resolves when the last client is gone, at the latest after `ms`. */
  async empty(ms: number): Promise<void> {
    if (this.#clients.size === 0) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, ms);
      this.#onEmpty = () => {
        clearTimeout(late);
        resolve();
      };
    });
    this.#onEmpty = undefined;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const client of this.all()) client.terminate();
  }

  #judge(client: Client): void {
    if (client.caller && this.#isRevoked(client.caller)) client.revoke();
  }

  #tick(): void {
    const now = this.#now();
    const ping = Frame.of({ type: 'ping', time: new Date(now).toISOString() });
    for (const client of this.#clients) client.tick(now, ping);
  }
}
