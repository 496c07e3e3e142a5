import {
  eventStream,
  HEADER_ID,
  HEADER_JOB,
  HEADER_TYPE,
  partitionOfRun,
  type RunAddress,
  type ToolstreamEvent,
  writerOf,
  writerSubject,
} from '@toolstream/proto-events';
import type { Channel } from './channel.ts';
import { deliver } from './deliver.ts';
import { FencedError, LogFullError, LogRejectedError } from './errors.ts';
import { leaderMessage } from './leader.ts';
import { outcomeOfPublish } from './outcome.ts';
import { encodeEvent } from './stored-event.ts';
import { wireHeaders } from './wire-headers.ts';

export const APPEND_TIMEOUT_MS = 15_000;
const EXPECTED_LAST = 'Nats-Expected-Last-Subject-Sequence';

export interface Append {
  run: RunAddress;
  /** Its `subject` attribute names the writer and so the subject; its id identifies the append: never reuse one. */
  event: ToolstreamEvent;
  /** Sequence of the last event on the subject; 0 when there must be none. */
  expected: number;
  /** The job of the attempt that writes. */
  jobId?: string;
  timeoutMs?: number;
}

/**
 * Appends one event behind exactly the one expected, and returns its sequence. One append in flight per subject.
 *
 * A lost answer is settled here: the same bytes are sent again, and where the fence then refuses, the leader is asked
 * which event followed the expected one. If it has this event's id, this append won. Anything else is
 * {@link FencedError}.
 */
export async function append(channel: Channel, request: Append): Promise<number> {
  const { run, event, expected } = request;
  const subject = writerSubject(run, writerOf(event));
  const timeoutMs = request.timeoutMs ?? APPEND_TIMEOUT_MS;
  const what = `append to ${subject}`;
  const outcome = await deliver(channel, {
    what,
    subject,
    payload: encodeEvent(event),
    headers: wireHeaders([
      [EXPECTED_LAST, expected],
      [HEADER_ID, event.id],
      [HEADER_TYPE, event.type],
      [HEADER_JOB, request.jobId],
    ]),
    timeoutMs,
    interpret: outcomeOfPublish,
  });
  switch (outcome.kind) {
    case 'stored':
      return outcome.seq;
    case 'fenced': {
      const stream = eventStream(partitionOfRun(run.run) ?? 0);
      const next = { seq: expected + 1, next_by_subj: subject };
      const winner = await leaderMessage(channel, stream, next, timeoutMs);
      if (winner?.id === event.id) return winner.seq;
      throw new FencedError(subject, expected, outcome.actual);
    }
    case 'full':
      throw new LogFullError(what, outcome.reason);
    case 'absent':
      throw new LogRejectedError(what, 'the server answered a publish with "no message found"');
    case 'rejected':
      throw new LogRejectedError(what, outcome.reason);
  }
}
