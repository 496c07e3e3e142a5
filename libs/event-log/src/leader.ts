import type { Channel } from './channel.ts';
import { deliver } from './deliver.ts';
import { LogRejectedError } from './errors.ts';
import { eventHeaders } from './event-headers.ts';
import { type ApiError, type Outcome, outcomeOfError } from './outcome.ts';
import { type StoredEvent, StoredEventMessage } from './stored-event.ts';
import { parseWireHeaders } from './wire-headers.ts';

const encoder = new TextEncoder();

export type LeaderQuery = { last_by_subj: string } | { seq: number; next_by_subj: string } | { seq: number };

interface RawMessage {
  subject: string;
  seq: number;
  hdrs?: string;
  data?: string;
  time: string;
}

/**
 * Asks the stream's leader and keeps asking until it answers or the time is up. Slower than a direct get and never
 * stale: what every acknowledged append before it wrote is seen.
 */
async function askLeader<T>(
  channel: Channel,
  subject: string,
  payload: Uint8Array,
  timeoutMs: number,
): Promise<T | undefined> {
  let answer: T | undefined;
  const what = `leader read (${subject})`;
  const settled = await deliver(channel, {
    what,
    subject,
    payload,
    timeoutMs,
    interpret: (body): Outcome => {
      const reply = JSON.parse(body) as T & { error?: ApiError };
      if (reply.error) return outcomeOfError(reply.error);
      answer = reply;
      return { kind: 'stored', seq: 0, duplicate: false };
    },
  });
  if (settled.kind === 'absent') return undefined;
  if (settled.kind !== 'stored') {
    throw new LogRejectedError(what, 'reason' in settled ? settled.reason : settled.kind);
  }
  return answer;
}

export async function leaderMessage(
  channel: Channel,
  stream: string,
  query: LeaderQuery,
  timeoutMs: number,
): Promise<StoredEvent | undefined> {
  const payload = encoder.encode(JSON.stringify(query));
  const subject = `$JS.API.STREAM.MSG.GET.${stream}`;
  const reply = await askLeader<{ message: RawMessage }>(channel, subject, payload, timeoutMs);
  if (!reply) return undefined;
  const { message } = reply;
  const headers = message.hdrs ? parseWireHeaders(Buffer.from(message.hdrs, 'base64')) : [];
  return new StoredEventMessage(
    { seq: message.seq, subject: message.subject, time: Date.parse(message.time) },
    eventHeaders(headers),
    message.data ? new Uint8Array(Buffer.from(message.data, 'base64')) : new Uint8Array(),
  );
}

export interface StreamPosition {
  first: number;
  last: number;
  epoch: string | undefined;
}

/** First and last sequence of a stream and its epoch, as the leader knows them. */
export async function leaderPosition(channel: Channel, stream: string, timeoutMs: number): Promise<StreamPosition> {
  const subject = `$JS.API.STREAM.INFO.${stream}`;
  const info = await askLeader<{
    state: { first_seq: number; last_seq: number };
    config: { metadata?: Record<string, string> };
  }>(channel, subject, new Uint8Array(), timeoutMs);
  if (!info) throw new LogRejectedError(`position of ${stream}`, 'the stream does not exist');
  return {
    first: info.state.first_seq,
    last: info.state.last_seq,
    epoch: info.config.metadata?.[EPOCH_KEY],
  };
}

/** Stream metadata: which incarnation of the stream this is. */
export const EPOCH_KEY = 'toolstream.epoch';
