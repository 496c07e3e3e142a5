import type { FeedOptions } from './http-feed.ts';
import { Poller } from './poller.ts';
import type { Standing, Subscriber, Transport } from './transport.ts';

const REQUESTS_AT_ONCE = 2;

/** Asking again and again: what gets through everything that lets single requests through. */
export class PollingTransport implements Transport {
  readonly name = 'polling';
  readonly #options: FeedOptions;
  readonly #pollers = new Map<string, Poller>();
  /** At most one entry for each poller's question under way. */
  #waiting: (() => Promise<void>)[] = [];
  #running = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  *standings(): Generator<Standing> {
    for (const poller of this.#pollers.values()) yield poller.standing;
  }

  subscribe(subscriber: Subscriber): void {
    this.resubscribe(subscriber, subscriber.resume());
  }

  resubscribe(subscriber: Subscriber, cursor: string | undefined): void {
    const { key } = subscriber;
    const poller = this.#pollers.get(key) ?? new Poller(subscriber, this.#options, (work) => this.#admit(work));
    this.#pollers.set(key, poller);
    poller.begin(cursor);
  }

  unsubscribe({ key }: Subscriber): void {
    this.#pollers.get(key)?.close();
    this.#pollers.delete(key);
  }

  check(): void {
    for (const poller of [...this.#pollers.values()]) poller.hurry();
  }

  close(): void {
    for (const poller of this.#pollers.values()) poller.close();
    this.#pollers.clear();
    this.#waiting = [];
  }

  #admit(work: () => Promise<void>): void {
    this.#waiting.push(work);
    this.#advance();
  }

  #advance(): void {
    while (this.#running < REQUESTS_AT_ONCE && this.#waiting.length > 0) {
      this.#running += 1;
      void this.#waiting.shift()!().finally(() => {
        this.#running -= 1;
        this.#advance();
      });
    }
  }
}
