import type { NatsConnection } from '@nats-io/nats-core';
import {
  commandSubject,
  type DeadLetterDetails,
  type DeadLetterItem,
  deadLetterQueryReply,
  dlqQueryReply,
  querySubject,
  type RedriveDeadLetter,
  type Redriven,
  redriveReply,
} from '@toolstream/proto-events';
import { request, UnavailableError } from '@toolstream/service-kit';
import type { z } from 'zod';
import { refusalOf } from '../problems.ts';

export interface DeadLetterSearch {
  readonly tenant: string;
  readonly apps: '*' | readonly string[];
  readonly app?: string | undefined;
  readonly limit: number;
  readonly before?: string | undefined;
}

/** Dead letters, asked of the orchestrator over NATS. Refusals are thrown. */
export interface DeadLetters {
  list(search: DeadLetterSearch): Promise<{ entries: DeadLetterItem[]; next?: string | undefined }>;
  get(tenant: string, id: string): Promise<DeadLetterDetails | undefined>;
  /** `replayed`: it was redriven before, and this is what that led to. */
  redrive(command: RedriveDeadLetter): Promise<{ redriven: Redriven; replayed: boolean }>;
}

const QUERY_TIMEOUT_MS = 10_000;
/** The orchestrator itself gives up on the log earlier, and says so. */
const COMMAND_TIMEOUT_MS = 18_000;

export function deadLettersClient(nc: NatsConnection): DeadLetters {
  const ask = async <T>(subject: string, schema: z.ZodType<T>, body: unknown, timeoutMs: number): Promise<T> => {
    const parsed = schema.safeParse(await request(nc, subject, body, { timeoutMs }));
    if (!parsed.success) throw new UnavailableError(`The orchestrator's answer to ${subject} is not understood.`);
    return parsed.data;
  };
  return {
    async list(search) {
      const reply = await ask(querySubject('dlq'), dlqQueryReply, search, QUERY_TIMEOUT_MS);
      if ('error' in reply) throw refusalOf(reply.error);
      return reply;
    },
    async get(tenant, id) {
      const body = { tenant, id };
      const reply = await ask(querySubject('dead_letter'), deadLetterQueryReply, body, QUERY_TIMEOUT_MS);
      if ('error' in reply) throw refusalOf(reply.error);
      return reply.found ? reply.entry : undefined;
    },
    async redrive(command) {
      const reply = await ask(commandSubject('redrive'), redriveReply, command, COMMAND_TIMEOUT_MS);
      if (!reply.ok) throw refusalOf(reply.error);
      return reply;
    },
  };
}
