import { setTimeout as sleep } from 'node:timers/promises';
import { type KV, type KvEntry, Kvm, type KvOptions } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { asError, type Logger } from '@toolstream/service-kit';
import type { z } from 'zod';

const WATCH_AGAIN_MS = 1_000;

/** Opens a bucket, made first where this identity may make one. */
export async function openBucket(
  nc: NatsConnection,
  name: string,
  create: boolean,
  options: Partial<KvOptions> = { history: 1 },
): Promise<KV> {
  const kvm = new Kvm(nc);
  return create ? kvm.create(name, { ...options }) : kvm.open(name, { ...options });
}

/** The parsed values of a bucket, kept current by a watch that begins again whenever it ends. */
export class WatchedBucket<T> {
  readonly #bucket: KV;
  readonly #schema: z.ZodType<T>;
  readonly #log: Logger;
  readonly #values = new Map<string, T>();
  readonly #onChange: () => void;
  #stopWatch: (() => void) | undefined;
  #stopped = false;

  constructor(bucket: KV, schema: z.ZodType<T>, log: Logger, onChange: () => void = () => {}) {
    this.#bucket = bucket;
    this.#schema = schema;
    this.#log = log;
    this.#onChange = onChange;
  }

  get values(): ReadonlyMap<string, T> {
    return this.#values;
  }

  /** Resolves once the present content is known. */
  async start(): Promise<void> {
    await this.refresh();
    void this.#watch();
  }

  stop(): void {
    this.#stopped = true;
    this.#stopWatch?.();
  }

  /** Reads the entries of a key filter now: for what must not depend on how fast a watch is. */
  async refresh(filter = '>'): Promise<void> {
    for await (const entry of await this.#bucket.history({ key: filter })) this.#apply(entry);
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      try {
        const entries = await this.#bucket.watch();
        this.#stopWatch = () => entries.stop();
        for await (const entry of entries) this.#apply(entry);
      } catch (error) {
        this.#log.warn({ error: asError(error) }, 'the watch of a bucket ended, beginning again');
      }
      if (!this.#stopped) await sleep(WATCH_AGAIN_MS, undefined, { ref: false });
    }
  }

  #apply(entry: KvEntry): void {
    const parsed = entry.operation === 'PUT' ? this.#schema.safeParse(jsonOf(entry)) : undefined;
    if (parsed?.success) this.#values.set(entry.key, parsed.data);
    else this.#values.delete(entry.key);
    if (parsed && !parsed.success)
      this.#log.warn({ bucket: entry.bucket, key: entry.key }, 'an entry is not understood');
    this.#onChange();
  }
}

function jsonOf(entry: KvEntry): unknown {
  try {
    return entry.json<unknown>();
  } catch {
    return undefined;
  }
}
