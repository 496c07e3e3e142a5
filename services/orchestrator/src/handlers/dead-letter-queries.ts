import {
  type CommandError,
  type DeadLetterDetails,
  type DeadLetterItem,
  deadLetterQuery,
  dlqQuery,
} from '@toolstream/proto-events';
import type { DeadLetters, KeptDeadLetter } from '../ports.ts';
import { malformed, refusedByBucket } from './refusals.ts';

type Failed = { ok: false; error: CommandError };

/** What is kept of dead jobs, for those who may see it. */
export class DeadLetterQueries {
  readonly #letters: DeadLetters;

  constructor(letters: DeadLetters) {
    this.#letters = letters;
  }

  async list(body: unknown): Promise<{ entries: DeadLetterItem[]; next?: string } | Failed> {
    const parsed = dlqQuery.safeParse(body);
    if (!parsed.success) return malformed(parsed.error);
    const { tenant, apps, app, limit, before } = parsed.data;
    const wanted = app === undefined ? apps : apps === '*' || apps.includes(app) ? [app] : [];
    return this.#answered(async () => {
      const search = { tenant, apps: wanted, limit, before: before === undefined ? undefined : Number(before) };
      const { letters, next } = await this.#letters.search(search);
      return { entries: letters.map(itemOf), ...(next === undefined ? {} : { next: String(next) }) };
    });
  }

  async get(body: unknown): Promise<{ found: true; entry: DeadLetterDetails } | { found: false } | Failed> {
    const parsed = deadLetterQuery.safeParse(body);
    if (!parsed.success) return malformed(parsed.error);
    return this.#answered(async () => {
      const kept = await this.#letters.get(parsed.data.tenant, parsed.data.id);
      return kept ? { found: true, entry: detailsOf(kept) } : { found: false };
    });
  }

  async #answered<T>(ask: () => Promise<T>): Promise<T | Failed> {
    try {
      return await ask();
    } catch (error) {
      const answer = refusedByBucket(error);
      if (answer) return answer;
      throw error;
    }
  }
}

function itemOf({ letter, expiresAt }: KeptDeadLetter): DeadLetterItem {
  const { job, reason, message, deliveries, at, started = false, redriven } = letter;
  const { job_id: id, app, run: run_id, index, call_id, name, pool, idempotent } = job;
  const call = { id, app, run_id, index, call_id, name, pool, idempotent };
  const death = { reason, message, deliveries, started, at, expires_at: expiresAt };
  return { ...call, ...death, ...(redriven === undefined ? {} : { redriven }) };
}

function detailsOf(kept: KeptDeadLetter): DeadLetterDetails {
  const { arguments: args, checkpoint } = kept.letter.job;
  return { ...itemOf(kept), arguments: args, ...(checkpoint === undefined ? {} : { checkpoint }) };
}
