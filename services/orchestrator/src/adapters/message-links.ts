import { setTimeout as sleep } from 'node:timers/promises';
import { JetStreamApiError } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import { isNewerLink, type MessageLink, messageKey, messageLink } from '@toolstream/proto-events';
import type { MessageLinks } from '../ports.ts';

/** Another write came first (10071), or is on its way through the replicas (10158, 10164). */
const LOST_RACE: ReadonlySet<number> = new Set([10071, 10158, 10164]);
const MOST_TRIES = 10;
const LONGEST_PAUSE_MS = 200;

/** The bucket of links, written behind the revision that was compared: an older run never replaces a newer one. */
export class MessageLinkStore implements MessageLinks {
  readonly #open: () => Promise<KV>;
  #bucket: Promise<KV> | undefined;

  /** `open` makes the bucket where it does not exist; it is called again after a failure, because buckets can be lost. */
  constructor(open: () => Promise<KV>) {
    this.#open = open;
  }

  /** Most messages have one run, so the first try reads nothing. */
  async write(tenant: string, message: string, link: MessageLink): Promise<void> {
    const key = messageKey(tenant, message);
    try {
      this.#bucket ??= this.#open();
      const bucket = await this.#bucket;
      let revision = 0;
      for (let tries = 1; ; tries++) {
        if (await written(bucket, key, link, revision)) return;
        if (tries >= MOST_TRIES) throw new Error(`the link of message ${message} is being written by others`);
        if (tries > 1) await sleep(Math.min(LONGEST_PAUSE_MS, 2 ** tries) * (0.5 + Math.random()));
        const entry = await bucket.get(key);
        const present = entry?.operation === 'PUT' ? messageLink.safeParse(jsonOf(entry.string())).data : undefined;
        if (present && !isNewerLink(link, present)) return;
        revision = entry?.revision ?? 0;
      }
    } catch (error) {
      this.#bucket = undefined;
      throw error;
    }
  }
}

/** False: something else is there than the revision says. */
async function written(bucket: KV, key: string, link: MessageLink, revision: number): Promise<boolean> {
  try {
    await bucket.put(key, JSON.stringify(link), { previousSeq: revision });
    return true;
  } catch (error) {
    if (error instanceof JetStreamApiError && LOST_RACE.has(error.code)) return false;
    throw error;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
