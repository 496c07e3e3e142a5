import type { ToolstreamEvent } from '@toolstream/proto-events';
import { counted, duration, percent } from '../../../format/index.ts';
import type { MarkerKind } from './markers.ts';
import type { Span, SpanKind } from './spans.ts';

export const KIND_WORDS: Readonly<Record<SpanKind, string>> = {
  waiting: 'Waiting for its turn',
  queued: 'Queued',
  running: 'Running',
  paused: 'Paused',
  approval: 'Waiting for approval',
  retry: 'Waiting to retry',
};

export const MARKER_WORDS: Readonly<Record<MarkerKind, string>> = {
  question: 'Approval requested',
  answer: 'Answer',
  failure: 'Failure',
  command: 'Command',
  checkpoint: 'Checkpoint',
  release: 'Handed back',
  end: 'End of the run',
};

/** `tool.progressed.v1` → `tool.progressed`: versions matter to programs. */
export const typeWord = (type: string): string => type.replace(/\.v\d+$/, '');

export const attemptWord = ({ kind, attempt }: Pick<Span, 'kind' | 'attempt'>): string =>
  kind === 'running' || kind === 'paused' ? `attempt ${attempt}` : `before attempt ${attempt}`;

const LONGEST = 160;

/** What an event says, in one line. */
export function sentenceOf(event: ToolstreamEvent): string {
  return short(saying(event).replace(/\s+/g, ' ').trim());
}

function saying(event: ToolstreamEvent): string {
  switch (event.type) {
    case 'run.accepted.v1':
      return `Accepted with ${counted(event.data.tools.length, 'tool call')}, ${event.data.ordering}`;
    case 'run.started.v1':
      return 'Started';
    case 'run.paused.v1':
      return withReason('Paused', event.data.reason);
    case 'run.resumed.v1':
      return withReason('Resumed', event.data.reason);
    case 'run.cancel_requested.v1':
      return withReason(CANCEL_CAUSES[event.data.cause], event.data.reason);
    case 'run.command_noted.v1':
      return withReason(`${event.data.command}: was so already`, event.data.reason);
    case 'run.succeeded.v1':
      return `Succeeded: ${counted(event.data.summary.successful, 'call')}`;
    case 'run.failed.v1':
      return `Failed: ${event.data.error.message}`;
    case 'run.cancelled.v1':
      return withReason('Cancelled', event.data.reason);
    case 'tool.queued.v1':
      return `Queued, dispatch ${event.data.dispatch} (${event.data.cause})`;
    case 'tool.started.v1':
      return `Attempt ${event.attempt} started on ${event.data.executor}`;
    case 'tool.progressed.v1': {
      const { stage, message, progress } = event.data;
      const measured = progress === undefined ? '' : ` ${percent(progress)}`;
      return `${stage}${measured}${message === undefined ? '' : `: ${message}`}`;
    }
    case 'tool.output.v1':
      return `${event.data.channel}: ${event.data.text.slice(0, LONGEST)}`;
    case 'tool.checkpointed.v1':
      return 'Checkpoint saved';
    case 'tool.cancel_acknowledged.v1':
      return 'The attempt is stopping';
    case 'tool.succeeded.v1':
      return 'Succeeded';
    case 'tool.failed.v1':
      return `Failed${event.data.retryable ? ', may be retried' : ''}: ${event.data.error.message}`;
    case 'tool.cancelled.v1':
      return withReason(event.data.abandoned ? 'Taken away: it did not stop in time' : 'Cancelled', event.data.reason);
    case 'tool.skipped.v1':
      return withReason('Skipped', event.data.reason);
    case 'tool.released.v1':
      return `Handed back: ${RELEASES[event.data.reason]}`;
    case 'tool.retry_scheduled.v1':
      return `Next attempt after failure ${event.data.failures}, in ${duration(event.data.delay_ms)}`;
    case 'tool.approval_requested.v1':
      return `Asks for approval: ${event.data.request?.message ?? QUESTIONS[event.data.reason]}`;
    case 'tool.approved.v1':
      return withReason(
        event.data.arguments === undefined ? 'Approved' : 'Approved with other arguments',
        event.data.reason,
      );
    case 'tool.denied.v1':
      return event.data.expired ? 'Denied: nobody answered in time' : withReason('Denied', event.data.reason);
    case 'tool.cancel_requested.v1':
      return withReason('Cancel requested', event.data.reason);
    case 'tool.retry_requested.v1':
      return withReason('Retry requested', event.data.reason);
    default:
      // Of a newer service: its type says what there is to say.
      return typeWord((event as { type: string }).type);
  }
}

const CANCEL_CAUSES = {
  command: 'Cancel requested',
  run_timeout: 'Cancelled by its time limit',
  run_expired: 'Cancelled: too old',
} as const;
const RELEASES = {
  drain: 'its executor shuts down',
  paused: 'the run is paused',
  lost: 'the attempt was lost',
  input: 'it needs an answer',
} as const;
const QUESTIONS = {
  policy: 'its policy says so',
  lost_attempt: 'its attempt was lost, may it run again?',
  input: 'it needs an answer',
} as const;

const withReason = (what: string, reason: string | undefined): string => (reason ? `${what}: ${reason}` : what);
const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);
