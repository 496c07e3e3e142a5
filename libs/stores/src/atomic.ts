import { randomBytes } from 'node:crypto';
import { JetStreamApiError } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/nats-core';
import { ANSWER_MS } from './persist.ts';

export interface FencedMessage {
  readonly subject: string;
  readonly data: string;
  /** Sequence of the subject's last message; 0: there is none. */
  readonly expected: number;
  /** Go's notation, `1h`: the message goes away by itself then. */
  readonly ttl?: string;
}

interface Answer {
  readonly seq?: number;
  readonly error?: { readonly code: number; readonly err_code: number; readonly description: string };
}

/**
 * Stores all of the messages or none (ADR-50, server 2.12), each fenced by its own subject; gives the last one's sequence.
 * By hand, since the client's batch publisher drops the fences and hides what the server refused.
 */
export async function publishTogether(nc: NatsConnection, messages: readonly FencedMessage[]): Promise<number> {
  const batch = randomBytes(16).toString('hex');
  const last = messages.length - 1;
  for (const [at, message] of messages.entries()) {
    const fields = headers();
    fields.set('Nats-Batch-Id', batch);
    fields.set('Nats-Batch-Sequence', String(at + 1));
    fields.set('Nats-Expected-Last-Subject-Sequence', String(message.expected));
    if (message.ttl !== undefined) fields.set('Nats-TTL', message.ttl);
    if (at < last) {
      nc.publish(message.subject, message.data, { headers: fields });
      continue;
    }
    fields.set('Nats-Batch-Commit', '1');
    const reply = await nc.request(message.subject, message.data, { headers: fields, timeout: ANSWER_MS });
    const { seq, error } = reply.json<Answer>();
    if (error !== undefined) throw new JetStreamApiError(error);
    if (seq !== undefined) return seq;
  }
  throw new Error('An atomic batch was answered without a sequence.');
}
