import type { WebSocket } from 'ws';
import type { Frame } from '../feeds/frame.ts';
import type { Outlet } from '../feeds/subscription.ts';
import type { Acks } from './acks.ts';

/** Two heartbeats unanswered, and some time for the answer to travel. */
const SILENCE_FACTOR = 2.5;

/**
 * Whether a client is still there, and how far it is. A heartbeat is for both sides to see a dead connection: the
 * protocol's own ping, which every client answers, and a `ping`. Between two of them a `ping` asks what the client has.
 */
export class Heartbeat {
  readonly #ws: Pick<WebSocket, 'ping'>;
  readonly #outlet: Outlet;
  readonly #acks: Acks;
  readonly #everyMs: number;
  #heardAt = Date.now();
  #due: number;

  constructor(ws: Pick<WebSocket, 'ping'>, outlet: Outlet, acks: Acks, everyMs: number) {
    this.#ws = ws;
    this.#outlet = outlet;
    this.#acks = acks;
    this.#everyMs = everyMs;
    this.#due = this.#heardAt + everyMs;
  }

  /** Anything came from the client. */
  heard(): void {
    this.#heardAt = Date.now();
  }

  answered(positions: Readonly<Record<string, string>> | undefined): void {
    this.#acks.answered(positions, Date.now());
  }

  /** Why the connection cannot go on. */
  judge(now: number): 'silent' | 'slow' | undefined {
    if (now - this.#heardAt >= this.#everyMs * SILENCE_FACTOR) return 'silent';
    return this.#acks.judge(now) === 'close' ? 'slow' : undefined;
  }

  /** Sends what is due. */
  beat(now: number, ping: Frame): void {
    const due = now >= this.#due;
    if (due) {
      this.#due = now + this.#everyMs;
      this.#ws.ping();
    }
    // A client that does not read its events does not read this either.
    if (this.#outlet.congested || !(due || this.#acks.due(now))) return;
    this.#outlet.write(ping);
    this.#acks.pinged(now);
  }
}
