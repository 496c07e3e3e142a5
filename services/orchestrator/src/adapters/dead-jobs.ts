import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import { JOBS_STREAM, type Job, job } from '@toolstream/proto-events';
import type { DeadJob, DeadJobs } from '../ports.ts';

/** `<job id>` → {@link DeadJob}. */
export const DEAD_JOBS_BUCKET = 'TS_DLQ';

const NO_MESSAGE_FOUND = 10037;
const isGone = (error: unknown): boolean =>
  error instanceof JetStreamApiError && (error.code === NO_MESSAGE_FOUND || error.status === 404);

export class DeadJobStore implements DeadJobs {
  readonly #jsm: JetStreamManager;
  readonly #bucket: KV;

  constructor(jsm: JetStreamManager, bucket: KV) {
    this.#jsm = jsm;
    this.#bucket = bucket;
  }

  async find(seq: number): Promise<Job | undefined> {
    try {
      const message = await this.#jsm.streams.getMessage(JOBS_STREAM, { seq });
      return message ? job.safeParse(message.json()).data : undefined;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  async keep(dead: DeadJob): Promise<void> {
    await this.#bucket.put(dead.job.job_id, JSON.stringify(dead));
  }

  async remove(seq: number): Promise<void> {
    try {
      await this.#jsm.streams.deleteMessage(JOBS_STREAM, seq, false);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}
