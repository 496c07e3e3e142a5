import type { WebSocket } from 'ws';
import type { Acks } from '../socket/acks.ts';

export interface ReceiptsOptions<T> {
  readonly ws: WebSocket;
  readonly acks: Acks;
  /** Writes out what waits, so that the ping comes behind it. */
  flush(): void;
  /** What the client will have when it answers. */
  mark(): T;
  onReceipt(mark: T): void;
}

/** Between two askings while nothing but progress comes. Whatever a page must not be told twice is asked after at once. */
const ASK_EVERY_MS = 100;

/**
 * Clients of these protocols say nothing about what they have. But every WebSocket answers a ping frame when it has read
 * everything before it, the browser's as well, without the page's doing. So a ping behind what was written gets a receipt.
 * One is under way at a time.
 */
export class Receipts<T> {
  readonly #options: ReceiptsOptions<T>;
  #underWay: { readonly mark: T } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #wanted = false;
  #urgent = false;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ReceiptsOptions<T>) {
    this.#options = options;
    options.ws.on('pong', () => this.#answered());
  }

  /** Something was written whose receipt matters. */
  want(urgent: boolean): void {
    this.#wanted = true;
    this.#urgent ||= urgent;
    if (this.#underWay || (this.#timer && !urgent)) return;
    clearTimeout(this.#timer);
    const due = this.#urgent ? 0 : this.#askedAt + ASK_EVERY_MS - performance.now();
    this.#timer = setTimeout(() => this.ask(), Math.max(0, due));
    this.#timer.unref();
  }

  ask(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#underWay) return;
    this.#wanted = false;
    this.#urgent = false;
    this.#askedAt = performance.now();
    const { ws, acks, flush, mark } = this.#options;
    this.#underWay = { mark: mark() };
    flush();
    acks.pinged(Date.now());
    ws.ping();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #answered(): void {
    const receipt = this.#underWay;
    if (!receipt) return;
    this.#underWay = undefined;
    const { acks, onReceipt } = this.#options;
    acks.answered(undefined, Date.now());
    onReceipt(receipt.mark);
    if (this.#wanted) this.want(false);
  }
}
