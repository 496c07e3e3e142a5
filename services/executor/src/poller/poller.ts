import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import { inboxOf } from '@toolstream/event-log';
import { JOBS_STREAM } from '@toolstream/proto-events';
import { Delivery, type DeliveryInfo, parseDeliveryInfo } from './delivery.ts';
import { type PlannedPull, planPulls, type Source } from './plan.ts';
import { WeightedChoice } from './weights.ts';

interface Pull {
  readonly id: string;
  readonly source: Source;
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
const TICK_MS = 50;
/** A missing consumer is not asked for this long, unless it is made again before. */
const MISSING_MS = 30_000;

/**
 * Pulls jobs for N slots from all consumers of a pool and never holds more than N: what runs plus what open pulls may
 * still bring stays within the slots.
 *
 * One inbox serves all pulls. A delivered job comes on its own subject, so nothing but the consumer in its
 * acknowledgement subject says which pull it answers: therefore a consumer has at most one open pull. Statuses come on
 * the pull's own reply subject.
 */
export class JobPoller {
  readonly #options: PollerOptions;
  readonly #choice = new WeightedChoice<Source>();
  /** Open pulls by the name of their consumer. */
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
    for (const pull of this.#pulls.values()) this.#close(pull);
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
    const info = msg.reply === undefined ? undefined : parseDeliveryInfo(msg.reply);
    if (info) this.#deliver(new Delivery(this.#options.nc, msg, info), info);
    else
      this.#status(msg.subject.slice(this.#inbox.length + 1), msg.headers?.code ?? 0, msg.headers?.description ?? '');
    this.#fillSoon();
  }

  #deliver(delivery: Delivery, { consumer, pending }: DeliveryInfo): void {
    const pull = this.#pulls.get(consumer);
    if (pull) {
      const { source } = pull;
      source.hint = pending;
      source.heardAt = source.usedAt = performance.now();
      source.open -= 1;
      this.#open -= 1;
      if (source.open === 0) this.#close(pull);
    } else if (this.#free <= 0) {
      // Answer to a pull that was given up, and its slot is taken by now.
      delivery.nak(1000);
      return;
    }
    if (this.#stopping) {
      delivery.nak(0);
    } else {
      this.#busy += 1;
      this.#options.onDelivery(delivery);
    }
  }

  #status(id: string, code: number, description: string): void {
    const name = id.slice(id.indexOf('-') + 1);
    const pull = this.#pulls.get(name);
    if (pull?.id !== id || code === 100) return;
    const { source } = pull;
    const now = performance.now();
    source.heardAt = now;
    // A pull that was answered in part and then ended found no more.
    if (code === 404 || code === 408) source.hint = 0;
    else if (code === 503 || /consumer (deleted|not found)/i.test(description)) {
      source.hint = 0;
      // The owner unblocks it as soon as the consumer is back.
      source.blockedUntil = now + MISSING_MS;
      this.#options.onMissing(source);
    } else source.blockedUntil = now + 250;
    this.#close(pull);
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
    const id = `${this.#nextId++}-${source.name}`;
    this.#pulls.set(source.name, { id, source, givenUpAt: performance.now() + expiresMs + ANSWER_SLACK_MS });
    this.#open += batch;
    source.open = batch;
    source.covered = expiresMs > 0;
    const wait = expiresMs > 0 ? `"expires":${expiresMs * 1e6}` : '"no_wait":true';
    this.#options.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${JOBS_STREAM}.${source.name}`, `{"batch":${batch},${wait}}`, {
      reply: `${this.#inbox}.${id}`,
    });
  }

  /** What the pull did not bring is free again. */
  #close({ source }: Pull): void {
    this.#pulls.delete(source.name);
    this.#open -= source.open;
    source.open = 0;
    source.covered = false;
    this.#checkStopped();
  }

  #onTick(): void {
    const now = performance.now();
    for (const pull of this.#pulls.values()) if (pull.givenUpAt <= now) this.#close(pull);
    this.#fill();
  }

  #checkStopped(): void {
    if (this.#stopping && this.#open === 0) this.#stopped?.();
  }
}
