import type { NatsConnection } from '@nats-io/nats-core';
import {
  type AcceptedRun,
  commandReply,
  commandSubject,
  type RunCommandName,
  type RunCommandRequest,
  type SubmitRun,
  submitReply,
} from '@toolstream/proto-events';
import { request, UnavailableError } from '@toolstream/service-kit';
import type { z } from 'zod';
import { Refusal, refusalOf } from '../problems.ts';

/** A command waits this long at most; the orchestrator itself gives up on the log earlier and says so. */
const COMMAND_TIMEOUT_MS = 18_000;
/** Below the server's default `max_payload` of 1 MiB. */
const MAX_COMMAND_BYTES = 1_000_000;

export type CommandArguments<N extends RunCommandName> = Omit<Extract<RunCommandRequest, { name: N }>, 'name'>;

/** The orchestrator, asked over NATS. Refusals are thrown as {@link Refusal}. */
export interface Orchestrator {
  submit(run: SubmitRun): Promise<{ run: AcceptedRun; replayed: boolean }>;
  /** The cursor of the event that records the command, or that already made it so. */
  command(request: RunCommandRequest): Promise<string>;
}

export function orchestratorClient(nc: NatsConnection): Orchestrator {
  const ask = async <T>(name: string, schema: z.ZodType<T>, body: unknown): Promise<T> => {
    if (Buffer.byteLength(JSON.stringify(body)) > MAX_COMMAND_BYTES) {
      throw new Refusal('invalid', 'The ids, names and dependencies of the calls are too large together.');
    }
    const answer = await request(nc, commandSubject(name), body, { timeoutMs: COMMAND_TIMEOUT_MS });
    const parsed = schema.safeParse(answer);
    if (!parsed.success) throw new UnavailableError(`The orchestrator's answer to ${name} is not understood.`);
    return parsed.data;
  };
  return {
    async submit(run) {
      const reply = await ask('submit', submitReply, run);
      if (!reply.ok) throw refusalOf(reply.error);
      return { run: reply.run, replayed: reply.replayed };
    },
    async command({ name, ...body }) {
      const reply = await ask(name, commandReply, body);
      if (!reply.ok) throw refusalOf(reply.error);
      return reply.cursor;
    },
  };
}
