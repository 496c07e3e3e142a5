import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/nats-core';
import { JOBS_STREAM } from '@toolstream/proto-events';
import { Delivery, parseDeliveryInfo } from './delivery.ts';
import { type PlannedPull, planPulls, type Source } from './plan.ts';
import { WeightedChoice } from './weights.ts';

interface Pull {
  readonly source: Source;
  readonly long: boolean;
  remaining: number;
  /** When it counts as answered even if no answer came: the server or the connection lost it. */
  readonly givenUpAt: number;
}

export interface PollerOptions {
  readonly nc: NatsConnection;
  readonly sources: Source[];
  readonly slots: number;
  /** Takes one slot until {@link JobPoller.release}. */
  onDelivery(delivery: Delivery): void;
  /** The consumer is gone, or JetStream does not answer for it. */
  onMissing(source: Source): void;
}

/** Slack for answers on their way before a pull's slots are counted as free again. */
const ANSWER_SLACK_MS = 2000;
const TICK_MS = 100;

/**
 * Pulls jobs for N slots from all consumers of a pool and never holds more than N: what runs plus what open pulls may
 * still bring stays within the slots. One inbox for all pulls; the last token of a reply says which pull it answers.
 */
export class JobPoller {
  readonly #options: PollerOptions;
  readonly #choice = new WeightedChoice<Source>();
  readonly #pulls = new Map<string, Pull>();
  readonly #inbox: string;
  #subscription: Subscription | undefined;
  #tick: NodeJS.Timeout | undefined;
  #fillQueued = false;
  #nextId = 0;
  #open = 0;
  #busy = 0;
  #stopping = false;
  #stopped: (() => void) | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#inbox = inboxOf(options.nc);
  }

  /** Slots taken by jobs. */
  get busy(): number {
    return this.#busy;
  }

  start(): void {
    this.#subscription = this.#options.nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, msg) => {
        if (!error) this.#receive(msg);
      },
    });
    this.#tick = setInterval(() => this.#onTick(), TICK_MS);
    this.#fillSoon();
  }

  /** Gives a slot back. */
  release(): void {
    this.#busy -= 1;
    this.#fillSoon();
  }

  /** After a reconnect the server has forgotten the open pulls: ask again at once instead of waiting them out. */
  reset(): void {
    for (const id of this.#pulls.keys()) this.#close(id);
    for (const source of this.#options.sources) source.heardAt = Number.NEGATIVE_INFINITY;
    this.#fillSoon();
  }

  /** Pulls no more and resolves once no open pull can bring a job any more; what one still brings is handed back. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#stopped = resolve));
    clearInterval(this.#tick);
    this.#subscription?.unsubscribe();
  }

  #receive(msg: Msg): void {
    const id = msg.subject.slice(this.#inbox.length + 1);
    const info = msg.reply === undefined ? undefined : parseDeliveryInfo(msg.reply);
    if (!info) {
      this.#status(id, msg.headers?.code ?? 0, msg.headers?.description ?? '');
      return;
    }
    const pull = this.#pulls.get(id);
    const delivery = new Delivery(this.#options.nc, msg, info);
    if (pull) {
      const { source } = pull;
      source.hint = info.pending;
      source.heardAt = source.usedAt = performance.now();
      pull.remaining -= 1;
      this.#spend(source, pull.long, 1);
      if (pull.remaining === 0) this.#pulls.delete(id);
    } else if (this.#free <= 0) {
      // Answer to a pull that was given up, and its slot is taken by now.
      delivery.nak(1000);
      return;
    }
    if (this.#stopping) delivery.nak(0);
    else {
      this.#busy += 1;
      this.#options.onDelivery(delivery);
    }
    this.#fillSoon();
    this.#checkStopped();
  }

  #status(id: string, code: number, description: string): void {
    const pull = this.#pulls.get(id);
    if (!pull || code === 100) return;
    const { source } = pull;
    const now = performance.now();
    source.heardAt = now;
    if (code === 404 || (code === 408 && pull.long)) source.hint = 0;
    const missing = code === 503 || (code === 409 && /consumer deleted|not found/i.test(description));
    if (missing) {
      source.hint = 0;
      // The owner unblocks it as soon as the consumer is back.
      source.blockedUntil = now + 30_000;
      this.#options.onMissing(source);
    } else if (code !== 404 && code !== 408) {
      source.blockedUntil = now + 250;
    }
    this.#close(id);
    this.#fillSoon();
  }

  get #free(): number {
    return this.#options.slots - this.#busy - this.#open;
  }

  /** Slots that free up in the same turn are filled by one pull. */
  #fillSoon(): void {
    if (this.#fillQueued || this.#stopping) return;
    this.#fillQueued = true;
    setImmediate(() => {
      this.#fillQueued = false;
      this.#fill();
    });
  }

  #fill(): void {
    const { nc, sources } = this.#options;
    if (this.#stopping || this.#free <= 0 || nc.isClosed()) return;
    for (const pull of planPulls(sources, this.#free, this.#choice, performance.now())) this.#send(pull);
  }

  #send({ source, batch, expiresMs }: PlannedPull): void {
    const id = String(this.#nextId++);
    const long = expiresMs > 0;
    this.#pulls.set(id, { source, long, remaining: batch, givenUpAt: performance.now() + expiresMs + ANSWER_SLACK_MS });
    this.#open += batch;
    source.open += batch;
    if (long) source.covered += batch;
    const request = long ? `{"batch":${batch},"expires":${expiresMs * 1e6}}` : `{"batch":${batch},"no_wait":true}`;
    this.#options.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${JOBS_STREAM}.${source.name}`, request, {
      reply: `${this.#inbox}.${id}`,
    });
  }

  #close(id: string): void {
    const pull = this.#pulls.get(id);
    if (!pull) return;
    this.#pulls.delete(id);
    this.#spend(pull.source, pull.long, pull.remaining);
    this.#checkStopped();
  }

  #spend(source: Source, long: boolean, count: number): void {
    this.#open -= count;
    source.open -= count;
    if (long) source.covered -= count;
  }

  #onTick(): void {
    const now = performance.now();
    for (const [id, pull] of this.#pulls) {
      if (pull.givenUpAt <= now) this.#close(id);
    }
    this.#fill();
  }

  #checkStopped(): void {
    if (this.#stopping && this.#open === 0) this.#stopped?.();
  }
}

/** Under the connection's own prefix, which its permissions may be limited to; the client's types leave it out. */
function inboxOf(nc: NatsConnection): string {
  return createInbox((nc as NatsConnection & { options?: { inboxPrefix?: string } }).options?.inboxPrefix);
}
