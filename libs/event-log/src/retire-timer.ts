import { TIMERS_STREAM, timerScheduleSubject } from '@toolstream/proto-events';
import type { Channel } from './channel.ts';
import { deliver } from './deliver.ts';
import { LogRejectedError } from './errors.ts';
import { leaderMessage } from './leader.ts';
import { type ApiError, type Outcome, outcomeOfError } from './outcome.ts';
import { READ_TIMEOUT_MS } from './read.ts';

const encoder = new TextEncoder();

/**
 * Takes a timer away that has not fired; nothing happens if it has. By its place in its stream (a purge by subject costs the
 * server many times as much), which is looked up where it is not known.
 */
export async function retireTimer(channel: Channel, id: string, known?: number): Promise<void> {
  const seq = known ?? (await placeOf(channel, id));
  if (seq === undefined) return;
  const what = `delete timer ${id}`;
  const outcome = await deliver(channel, {
    what,
    subject: `$JS.API.STREAM.MSG.DELETE.${TIMERS_STREAM}`,
    payload: encoder.encode(JSON.stringify({ seq, no_erase: true })),
    timeoutMs: READ_TIMEOUT_MS,
    interpret,
  });
  if (outcome.kind === 'rejected') throw new LogRejectedError(what, outcome.reason);
}

async function placeOf(channel: Channel, id: string): Promise<number | undefined> {
  const last = await leaderMessage(channel, TIMERS_STREAM, { last_by_subj: timerScheduleSubject(id) }, READ_TIMEOUT_MS);
  return last?.seq;
}

/** The server's answer to a delete of what is not there, fired or deleted before. */
const NOT_DELETED = 10057;

function interpret(body: string): Outcome {
  const { error } = JSON.parse(body) as { error?: ApiError };
  if (!error) return { kind: 'stored', seq: 0, duplicate: false };
  return error.err_code === NOT_DELETED ? { kind: 'absent' } : outcomeOfError(error);
}
