import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import type { KV, KvEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { DEAD_LETTER_TTL_MS, type DeadLetter, deadLetter, type Redriven } from '@toolstream/proto-events';
import { openBucket } from '../catalog/watched-bucket.ts';
import type { DeadLetterPage, DeadLetterSearch, DeadLetters, KeptDeadLetter } from '../ports.ts';

/** `<tenant>.<app>.<job id>` → {@link DeadLetter}. Owner and app are in the key: a search reads nobody else's. */
export const DEAD_LETTERS_BUCKET = 'TS_DLQ';

const WRONG_LAST_SEQUENCE = new Set([10071, 10164]);
const isTaken = (error: unknown): boolean => error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.has(error.code);

/** What may stand beside each other as reads of one page. */
const READS = 32;

/** Makes the bucket, or lets one that was made without an end of its entries have one. */
export async function openDeadLetters(nc: NatsConnection, jsm: JetStreamManager, create: boolean): Promise<KV> {
  const bucket = await openBucket(nc, DEAD_LETTERS_BUCKET, create, { history: 1, ttl: DEAD_LETTER_TTL_MS });
  if (create && (await bucket.status()).ttl === 0) {
    await jsm.streams.update(`KV_${DEAD_LETTERS_BUCKET}`, { max_age: DEAD_LETTER_TTL_MS * 1e6 });
  }
  return bucket;
}

export class DeadLetterStore implements DeadLetters {
  readonly #bucket: KV;

  constructor(bucket: KV) {
    this.#bucket = bucket;
  }

  async keep(dead: DeadLetter): Promise<void> {
    try {
      await this.#bucket.create(keyOf(dead), JSON.stringify(dead));
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }

  async get(tenant: string, id: string): Promise<KeptDeadLetter | undefined> {
    for await (const entry of await this.#bucket.history({ key: `${tenant}.*.${id}` })) return keptOf(entry);
    return undefined;
  }

  async mark(kept: KeptDeadLetter, redriven: Redriven): Promise<Redriven> {
    const { letter, revision } = kept;
    try {
      await this.#bucket.update(keyOf(letter), JSON.stringify({ ...letter, redriven }), revision);
      return redriven;
    } catch (error) {
      if (!isTaken(error)) throw error;
      const now = await this.get(letter.job.tenant, letter.job.job_id);
      return now?.letter.redriven ?? redriven;
    }
  }

  /** Keys come first, without their values, and the newest of them are read: a page costs what it shows. */
  async search({ tenant, apps, limit, before }: DeadLetterSearch): Promise<DeadLetterPage> {
    const found: { key: string; revision: number }[] = [];
    // Known to the client, though not to its types; were it not, the values would come too.
    const headers = { key: `${tenant}.>`, headers_only: true };
    for await (const { key, revision } of await this.#bucket.history(headers)) {
      const app = key.split('.')[1];
      if ((before === undefined || revision < before) && (apps === '*' || apps.includes(app ?? '')))
        found.push({ key, revision });
    }
    found.sort((a, b) => b.revision - a.revision);
    const page = found.slice(0, limit);
    const letters: KeptDeadLetter[] = [];
    for (let at = 0; at < page.length; at += READS) {
      const entries = await Promise.all(page.slice(at, at + READS).map(({ key }) => this.#bucket.get(key)));
      for (const entry of entries) {
        const kept = entry ? keptOf(entry) : undefined;
        if (kept) letters.push(kept);
      }
    }
    return found.length > limit ? { letters, next: page.at(-1)!.revision } : { letters };
  }
}

const keyOf = ({ job: { tenant, app, job_id } }: DeadLetter): string => `${tenant}.${app}.${job_id}`;

function keptOf(entry: KvEntry): KeptDeadLetter | undefined {
  if (entry.operation !== 'PUT') return undefined;
  const letter = deadLetter.safeParse(entry.json()).data;
  if (!letter) return undefined;
  const expires = entry.created.getTime() + DEAD_LETTER_TTL_MS;
  return { letter, revision: entry.revision, expiresAt: new Date(expires).toISOString() };
}
