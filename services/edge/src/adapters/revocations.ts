import { jetstreamManager } from '@nats-io/jetstream';
import { type KV, Kvm, type KvWatchEntry } from '@nats-io/kv';
import { type NatsConnection, nanos } from '@nats-io/nats-core';
import { type Logger, within } from '@toolstream/service-kit';
import type { Principal } from '../auth/principal.ts';
import { type RevocationTarget, Revoked, revocationKey } from '../auth/revoked.ts';

export const REVOCATIONS_BUCKET = 'TS_REVOCATIONS';

/** Tokens that are no longer good, known to every edge. */
export interface Revocations {
  /** Resolves when it is stored and holds here; the other edges learn of it within moments. */
  revoke(tenant: string, target: RevocationTarget): Promise<{ at: number }>;
  covers(principal: Principal): boolean;
  /** Called when there are new ones. */
  onRevoked(listener: () => void): void;
  stop(): void;
}

const RETRY_MS = 500;
const FORGET_EVERY_MS = 60_000;

/**
 * A bucket that every edge watches. Whoever opens it knows all of it when the promise resolves. While NATS is away nothing
 * new is learnt and nothing is forgotten; when it is back, the whole is read again at once.
 */
export async function openRevocations(nc: NatsConnection, log: Logger, keepMs: number): Promise<Revocations> {
  const revoked = new Revoked(keepMs);
  const listeners: (() => void)[] = [];
  let bucket = await openBucket(nc, keepMs);
  let stopped = false;
  let current: Watch | undefined;
  let retry: NodeJS.Timeout | undefined;

  // Once for all that comes in one turn: the listeners look at every client.
  let told = true;
  const add = (key: string, at: number) => {
    if (!revoked.set(key, at) || !told) return;
    told = false;
    setImmediate(() => {
      told = true;
      for (const listener of listeners) listener();
    });
  };
  const watch = async (): Promise<void> => {
    const mine = await watchAll(bucket, (entry) => {
      if (entry.operation === 'PUT') add(entry.key, timeOf(entry));
      else revoked.delete(entry.key);
    });
    current?.stop();
    current = mine;
    if (!(await mine.complete)) throw new Error('the watch of the revocations ended before all of them were read');
    void mine.ended.then((error) => {
      if (stopped || current !== mine) return;
      log.warn({ error }, 'the watch of the revocations ended');
      retry = setTimeout(again, RETRY_MS);
      retry.unref();
    });
  };
  const again = (): void => {
    clearTimeout(retry);
    if (stopped || nc.isClosed()) return;
    void (async () => {
      bucket = await openBucket(nc, keepMs);
      await watch();
    })().catch((error: unknown) => {
      log.warn({ error }, 'the revocations cannot be watched yet');
      clearTimeout(retry);
      retry = setTimeout(again, RETRY_MS);
      retry.unref();
    });
  };
  await watch();
  void onReconnect(nc, again);
  const forgetting = setInterval(() => revoked.forget(Date.now()), FORGET_EVERY_MS);
  forgetting.unref();

  return {
    async revoke(tenant, target) {
      const key = revocationKey(tenant, target);
      const at = Date.now();
      await bucket.put(key, JSON.stringify({ at }));
      add(key, at);
      return { at };
    },
    covers: (principal) => revoked.covers(principal),
    onRevoked: (listener) => {
      listeners.push(listener);
    },
    stop: () => {
      stopped = true;
      clearTimeout(retry);
      clearInterval(forgetting);
      current?.stop();
    },
  };
}

/** Entries stay at least `keepMs`: a bucket that another configuration made is told to keep them longer, never shorter. */
async function openBucket(nc: NatsConnection, keepMs: number): Promise<KV> {
  const bucket = await new Kvm(nc).create(REVOCATIONS_BUCKET, { ttl: keepMs, history: 1 });
  const { ttl, streamInfo } = await bucket.status();
  if (ttl !== 0 && ttl < keepMs) {
    const manager = await jetstreamManager(nc);
    await manager.streams.update(streamInfo.config.name, { max_age: nanos(keepMs) });
  }
  return bucket;
}

interface Watch {
  /** True once everything that was there at the beginning has been told; false when the watch ended before. */
  readonly complete: Promise<boolean>;
  /** With what ended it, or with nothing; never rejects. */
  readonly ended: Promise<unknown>;
  stop(): void;
}

const LOOK_AGAIN_MS = 500;

async function watchAll(bucket: KV, onEntry: (entry: KvWatchEntry) => void): Promise<Watch> {
  const entries = await bucket.watch();
  const { promise: complete, resolve: settle } = Promise.withResolvers<boolean>();
  let told = 0;
  let settled = false;
  void complete.then(() => {
    settled = true;
  });
  const ended = (async () => {
    try {
      for await (const entry of entries) {
        told++;
        onEntry(entry);
        if (entry.delta === 0) settle(true);
      }
      return undefined;
    } catch (error) {
      return error;
    } finally {
      settle(false);
    }
  })();
  // Where there is nothing, or what was left expires meanwhile, no entry says that it is the last.
  const look = async (): Promise<void> => {
    while (!settled) {
      const { values } = await bucket.status();
      if (values <= told) return settle(true);
      await within(LOOK_AGAIN_MS, complete);
    }
  };
  look().catch((error: unknown) => entries.stop(error instanceof Error ? error : new Error(String(error))));
  return { complete, ended, stop: () => entries.stop() };
}

async function onReconnect(nc: NatsConnection, then: () => void): Promise<void> {
  for await (const { type } of nc.status()) if (type === 'reconnect') then();
}

/** An entry that is not understood revokes from when it was made. */
function timeOf(entry: KvWatchEntry): number {
  try {
    const { at } = entry.json<{ at?: unknown }>();
    if (typeof at === 'number' && Number.isFinite(at)) return at;
  } catch {
    // Not JSON: as below.
  }
  return entry.created.getTime();
}
