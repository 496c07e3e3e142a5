import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import { JOBS_STREAM, type Job, job } from '@toolstream/proto-events';
import type { DeadJobs } from '../ports.ts';

const NO_MESSAGE_FOUND = 10037;
const isGone = (error: unknown): boolean =>
  error instanceof JetStreamApiError && (error.code === NO_MESSAGE_FOUND || error.status === 404);

/** Jobs where their deliveries left them: in their queue's stream. */
export class DeadJobQueue implements DeadJobs {
  readonly #jsm: JetStreamManager;

  constructor(jsm: JetStreamManager) {
    this.#jsm = jsm;
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

  async remove(seq: number): Promise<void> {
    try {
      await this.#jsm.streams.deleteMessage(JOBS_STREAM, seq, false);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}
