import { randomBytes } from 'node:crypto';
import { StorageType } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { asError, type Logger, within } from '@toolstream/service-kit';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Principal } from '../auth/principal.ts';
import { sha256 } from '../requests/json.ts';
import type { PagePlace } from './standing.ts';

export const CABLE_BUCKET = 'TS_CABLE';
/** A page or a session that was away for longer begins anew. Open connections write again well before that. */
export const REMEMBERED_MS = 15 * 60_000;
export const REWRITE_MS = 5 * 60_000;
const BUCKET_BYTES = 64 * 1024 * 1024;
const RECORD_BYTES = 64 * 1024;
const LOCAL_RECORDS = 20_000;
const READ_MS = 1_000;

const place = z.object({ run: z.string().optional(), cursor: z.string() });
const pageRecord = z.object({ at: z.number(), places: z.record(z.string(), place) });
const sessionRecord = z.object({ tenant: z.string(), sub: z.string(), identifiers: z.array(z.string()) });
type PageRecord = z.infer<typeof pageRecord>;

export type Places = ReadonlyMap<string, PagePlace>;

/**
 * What is remembered of connections, at every edge: where each page of a v1 client stands, which cannot say it itself, and
 * what an ext-json session had subscribed to. Both under hashes that include the caller, so nobody finds another's. It lies
 * in memory, with a limit in time and in bytes; when it is lost, pages draw the present state again. What this process
 * wrote itself it knows without the bucket.
 */
export class CableMemory {
  readonly #nc: NatsConnection;
  readonly #log: Logger;
  readonly #local = new LRUCache<string, PageRecord>({ max: LOCAL_RECORDS, ttl: REMEMBERED_MS });
  readonly #owners = new Map<string, object>();
  readonly #writes = new Set<Promise<unknown>>();
  #bucket: Promise<KV> | undefined;

  constructor(nc: NatsConnection, log: Logger) {
    this.#nc = nc;
    this.#log = log;
  }

  /** Where a page stands. From now on this owner alone writes it here: an older connection of the page may linger. */
  async page(key: string, owner: object): Promise<Places> {
    this.#owners.set(key, owner);
    const local = this.#local.get(key);
    const stored = await this.#read(key, pageRecord);
    const record = stored && stored.at > (local?.at ?? 0) ? stored : local;
    return new Map(Object.entries(record?.places ?? {}));
  }

  /** Known here at once, elsewhere as soon as it is written. */
  async keepPage(key: string, owner: object, places: Places): Promise<void> {
    if (this.#owners.get(key) !== owner) return;
    const record = { at: Date.now(), places: Object.fromEntries(places) };
    this.#local.set(key, record);
    await this.#write(key, record);
  }

  leavePage(key: string, owner: object): void {
    if (this.#owners.get(key) === owner) this.#owners.delete(key);
  }

  /** What a session had subscribed to, for its own caller. It can be taken once. */
  async takeSession(sid: string, { tenant, sub }: Principal): Promise<readonly string[]> {
    const key = sessionKey(sid);
    const record = await this.#read(key, sessionRecord);
    if (!record || record.tenant !== tenant || record.sub !== sub) return [];
    void this.#attempt((bucket) => bucket.delete(key));
    return record.identifiers;
  }

  async keepSession(sid: string, { tenant, sub }: Principal, identifiers: readonly string[]): Promise<void> {
    await this.#write(sessionKey(sid), { tenant, sub, identifiers });
  }

  async #read<T>(key: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const entry = await within(
      READ_MS,
      this.#attempt((bucket) => bucket.get(key)),
    );
    if (entry?.operation !== 'PUT') return undefined;
    const parsed = schema.safeParse(safeJson(entry.string()));
    return parsed.success ? parsed.data : undefined;
  }

  async #write(key: string, record: object): Promise<void> {
    const text = JSON.stringify(record);
    if (text.length > RECORD_BYTES) return;
    const writing = this.#attempt((bucket) => bucket.put(key, text));
    this.#writes.add(writing);
    await writing;
    this.#writes.delete(writing);
  }

  /** Everything is written, or it took too long. */
  async settled(): Promise<void> {
    await within(READ_MS, Promise.all(this.#writes));
  }

  /** Memory is no guarantee: what fails is told in the log and forgotten. The bucket is made again if it is gone. */
  async #attempt<T>(work: (bucket: KV) => Promise<T>): Promise<T | undefined> {
    try {
      this.#bucket ??= new Kvm(this.#nc).create(CABLE_BUCKET, {
        ttl: REMEMBERED_MS,
        history: 1,
        storage: StorageType.Memory,
        max_bytes: BUCKET_BYTES,
      });
      return await work(await this.#bucket);
    } catch (error) {
      this.#bucket = undefined;
      this.#log.debug({ error: asError(error) }, 'the memory of cable connections did not answer');
      return undefined;
    }
  }
}

/** `page` is the client's own nonce. */
export const pageKey = ({ tenant, sub }: Principal, page: string): string =>
  `page_${sha256(JSON.stringify([tenant, sub, page]))}`;
const sessionKey = (sid: string): string => `sid_${sha256(sid)}`;
export const newSid = (): string => randomBytes(24).toString('base64url');
/** What a page's places are kept under: identifiers may be long. */
export const placeKey = (identifier: string): string => sha256(identifier).slice(0, 24);

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
