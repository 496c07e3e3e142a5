import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import {
  isNewerLink,
  MESSAGES_BUCKET,
  type MessageLink,
  messageKey,
  messageLink,
  messagesBucketOptions,
} from '@toolstream/proto-events';
import { asError, type Logger } from '@toolstream/service-kit';
import type { Projection } from './projection.ts';

/** Which run is a message's newest: now, and whenever a newer one is accepted. */
export interface Messages {
  /**
   * Calls `onRun` with the newest run of the message as soon as it is known, also if it is accepted much later, and again
   * with every newer one: never twice for one run, never for an older one, never within this call. `onNone` is called once
   * if the message turns out to have no run yet. Returns what ends the watch.
   */
  watch(tenant: string, message: string, onRun: (link: MessageLink) => void, onNone?: () => void): () => void;
  /** The newest run now. */
  get(tenant: string, message: string): Promise<MessageLink | undefined>;
  /** Messages that somebody watches. */
  readonly size: number;
  stop(): void;
}

interface Listener {
  readonly onRun: (link: MessageLink) => void;
  readonly onNone: (() => void) | undefined;
  told: MessageLink | 'none' | undefined;
}

interface Watched {
  readonly tenant: string;
  readonly message: string;
  readonly listeners: Set<Listener>;
  newest: MessageLink | undefined;
  /** The bucket was asked, or could not be. */
  looked: boolean;
}

const STREAM = `KV_${MESSAGES_BUCKET}`;
const SUBJECT_PREFIX = `$KV.${MESSAGES_BUCKET}.`;
const READS_AT_ONCE = 16;
const AGAIN_MS = 500;
/** The projection is asked only where the bucket knows nothing; nobody waits long for a hint. */
const PROJECTION_DEADLINE_MS = 1_000;
const IDLE_HEARTBEAT_MS = 5_000;
/** The server forgets the reader of an edge that is gone after this. */
const ABANDONED_NS = 30_000 * 1e6;
const BROKEN: ReadonlySet<string> = new Set([
  'heartbeats_missed',
  'consumer_not_found',
  'consumer_deleted',
  'stream_not_found',
  'no_responders',
  'ordered_consumer_recreated',
]);

/**
 * One reader of the bucket's updates per process, however many pages wait: clients cost an entry of a map. A page is
 * registered for updates first and the bucket read after that, by its leader, so an entry is seen by one of the two.
 * Whenever the reader begins again (reconnect, restart of the server, trouble), it first notes where the bucket ends, and
 * then every watched message is read again.
 */
export async function openMessages(nc: NatsConnection, projection: Projection, log: Logger): Promise<Messages> {
  const messages = new WatchedMessages(nc, await jetstreamManager(nc, { checkAPI: false }), projection, log);
  await messages.declare();
  messages.start();
  return messages;
}

class WatchedMessages implements Messages {
  readonly #nc: NatsConnection;
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #projection: Projection;
  readonly #log: Logger;
  readonly #watched = new Map<string, Watched>();
  /** To be read; bounded by what is watched. */
  readonly #unread = new Set<Watched>();
  #reading = 0;
  #bucket!: KV;
  #reader: ConsumerMessages | undefined;
  #stopped = false;

  constructor(nc: NatsConnection, jsm: JetStreamManager, projection: Projection, log: Logger) {
    this.#nc = nc;
    this.#js = jetstream(nc);
    this.#jsm = jsm;
    this.#projection = projection;
    this.#log = log;
  }

  get size(): number {
    return this.#watched.size;
  }

  /** Makes the bucket if it is not there, or no longer. */
  async declare(): Promise<void> {
    this.#bucket = await new Kvm(this.#nc).create(MESSAGES_BUCKET, { ...messagesBucketOptions });
  }

  start(): void {
    void this.#follow();
    void this.#beginAgainAfterReconnects();
  }

  stop(): void {
    this.#stopped = true;
    this.#reader?.stop();
    this.#watched.clear();
    this.#unread.clear();
  }

  watch(tenant: string, message: string, onRun: (link: MessageLink) => void, onNone?: () => void): () => void {
    const key = messageKey(tenant, message);
    let watched = this.#watched.get(key);
    if (!watched) {
      watched = { tenant, message, listeners: new Set(), newest: undefined, looked: false };
      this.#watched.set(key, watched);
      this.#look(watched);
    }
    const { listeners } = watched;
    const listener: Listener = { onRun, onNone, told: undefined };
    listeners.add(listener);
    if (watched.newest || watched.looked) queueMicrotask(() => tell(watched, listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#watched.get(key) !== watched) return;
      this.#watched.delete(key);
      this.#unread.delete(watched);
    };
  }

  async get(tenant: string, message: string): Promise<MessageLink | undefined> {
    const key = messageKey(tenant, message);
    const entry = await this.#bucket.get(key);
    return (entry && this.#parsed(key, entry.value)) ?? (await this.#projected(tenant, message));
  }

  /** The last resort, for links that were lost or have expired. */
  async #projected(tenant: string, message_id: string): Promise<MessageLink | undefined> {
    try {
      const query = { tenant, apps: '*' as const, message_id, limit: 1 };
      const { runs } = await this.#projection.runs(query, PROJECTION_DEADLINE_MS);
      const [newest] = runs;
      return newest && { run: newest.run_id, app: newest.app, accepted_at: newest.accepted_at };
    } catch (error) {
      this.#log.debug({ error: asError(error) }, 'the projection was asked for a message in vain');
      return undefined;
    }
  }

  #parsed(key: string, data: Uint8Array): MessageLink | undefined {
    // A deleted entry has an empty value.
    if (data.length === 0) return undefined;
    try {
      return messageLink.parse(JSON.parse(Buffer.from(data).toString()));
    } catch {
      this.#log.warn({ key }, 'a link of a message is not understood');
      return undefined;
    }
  }

  #look(watched: Watched): void {
    this.#unread.add(watched);
    if (this.#reading < READS_AT_ONCE) void this.#readAll();
  }

  async #readAll(): Promise<void> {
    this.#reading++;
    for (const watched of this.#unread) {
      this.#unread.delete(watched);
      let failed = false;
      try {
        const link = await this.get(watched.tenant, watched.message);
        if (link) this.#offer(watched, link);
      } catch (error) {
        failed = true;
        this.#log.debug({ error: asError(error) }, 'a message could not be looked up, trying again');
      }
      watched.looked = true;
      for (const listener of watched.listeners) tell(watched, listener);
      if (!failed) continue;
      await sleep(AGAIN_MS, undefined, { ref: false });
      if (watched.listeners.size > 0 && !this.#done) this.#unread.add(watched);
    }
    this.#reading--;
  }

  #offer(watched: Watched, link: MessageLink): void {
    if (watched.newest && !isNewerLink(link, watched.newest)) return;
    watched.newest = link;
    for (const listener of watched.listeners) tell(watched, listener);
  }

  async #follow(): Promise<void> {
    while (!this.#done) {
      try {
        await this.#followOnce();
      } catch (error) {
        this.#log.warn({ error: asError(error) }, 'links of messages cannot be followed now, trying again');
      }
      if (!this.#done) await sleep(AGAIN_MS, undefined, { ref: false });
    }
  }

  async #followOnce(): Promise<void> {
    await this.declare();
    const { state } = await this.#jsm.streams.info(STREAM);
    const consumer = await this.#js.consumers.get(STREAM, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: state.last_seq + 1,
      inactive_threshold: ABANDONED_NS,
    });
    const reader = await consumer.consume({
      idle_heartbeat: IDLE_HEARTBEAT_MS,
      callback: ({ subject, data }) => {
        const key = subject.slice(SUBJECT_PREFIX.length);
        const watched = this.#watched.get(key);
        const link = watched && this.#parsed(key, data);
        if (link) this.#offer(watched, link);
      },
    });
    this.#reader = reader;
    if (this.#done) reader.stop();
    for (const watched of this.#watched.values()) this.#look(watched);
    for await (const { type } of reader.status()) if (BROKEN.has(type)) break;
    reader.stop();
  }

  /** What was published while the connection was away did not come, and the reader need not notice soon. */
  async #beginAgainAfterReconnects(): Promise<void> {
    for await (const { type } of this.#nc.status()) {
      if (this.#done) return;
      if (type === 'reconnect') this.#reader?.stop();
    }
  }

  get #done(): boolean {
    return this.#stopped || this.#nc.isClosed();
  }
}

function tell(watched: Watched, listener: Listener): void {
  const { newest } = watched;
  if (!watched.listeners.has(listener)) return;
  if (newest) {
    if (listener.told === newest) return;
    listener.told = newest;
    listener.onRun(newest);
  } else if (listener.told === undefined) {
    listener.told = 'none';
    listener.onNone?.();
  }
}
