import { type EventLog, isConflict, type StoredEvent } from '@toolstream/event-log';
import { type Job, TOOL_END_TYPES, toolSubject } from '@toolstream/proto-events';
import { attemptEvent } from './envelope.ts';

export type Claim =
  /** The attempt is ours: its number, and the sequence that its next append chains to. */
  | { readonly kind: 'claimed'; readonly attempt: number; readonly seq: number; readonly queueMs: number }
  /** Nothing to do for this job, now or later: acknowledge it. */
  | { readonly kind: 'settled'; readonly why: string }
  /** Another writer was faster while we looked. If it lives, it answers for the job; if not, the lease brings it back. */
  | { readonly kind: 'left'; readonly why: string };

export interface Claimant {
  readonly log: EventLog;
  readonly instance: string;
  readonly source: string;
}

/**
 * Claims a job's tool by appending to its subject. Exactly one of all claims and commands on one sequence wins.
 *
 * A first delivery claims with the sequence that the job carries; a conflict means that a command or another copy of
 * the job was faster, and the job is done with. A redelivered job may have run already, wholly or in part, so the
 * subject's last event, read from the leader, decides: nothing new since dispatch, or this very job's unfinished
 * attempt → claim behind it; everything else → done with.
 */
export async function claimJob(claimant: Claimant, job: Job, deliveries: number): Promise<Claim> {
  if (deliveries <= 1) {
    const claim = await claimAt(claimant, job, job.tool_seq, job.attempt);
    return claim ?? { kind: 'settled', why: 'another writer claimed or withdrew the tool call' };
  }
  const last = await claimant.log.lastOf(toolSubject(job, job.index), { leader: true });
  const seq = last?.seq ?? 0;
  if (seq === job.tool_seq) return (await claimAt(claimant, job, seq, job.attempt)) ?? raced;
  if (!last || !isUnfinishedAttemptOf(job, last))
    return { kind: 'settled', why: `ends with ${last?.type ?? 'nothing'}` };
  const attempt = last.event().attempt ?? job.attempt;
  if (job.idempotent) return (await claimAt(claimant, job, seq, attempt + 1)) ?? raced;
  return releaseLost(claimant, job, seq, attempt);
}

const raced: Claim = { kind: 'left', why: 'the tool call moved on while it was read' };

const isUnfinishedAttemptOf = (job: Job, last: StoredEvent): boolean =>
  last.job === job.job_id && !TOOL_END_TYPES.has(last.type) && last.type !== 'tool.released.v1';

async function claimAt(claimant: Claimant, job: Job, expected: number, attempt: number): Promise<Claim | undefined> {
  const { instance, source } = claimant;
  const queueMs = Math.max(0, Date.now() - Date.parse(job.queued_at));
  const data = { dispatch: job.dispatch, executor: instance, queue_ms: queueMs };
  const event = attemptEvent(job, attempt, source, 'tool.started.v1', data);
  try {
    const seq = await claimant.log.append({ run: job, event, expected, jobId: job.job_id });
    return { kind: 'claimed', attempt, seq, queueMs };
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error;
  }
}

/** What the lost attempt did is unknown and must not be done twice: a person decides. */
async function releaseLost(claimant: Claimant, job: Job, expected: number, attempt: number): Promise<Claim> {
  const event = attemptEvent(job, attempt, claimant.source, 'tool.released.v1', { reason: 'lost' });
  try {
    await claimant.log.append({ run: job, event, expected, jobId: job.job_id });
    return { kind: 'settled', why: 'the attempt of a tool that is not idempotent was lost' };
  } catch (error) {
    if (isConflict(error)) return raced;
    throw error;
  }
}
