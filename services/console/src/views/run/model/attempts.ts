import type { ToolState } from '@toolstream/proto-events';
import { duration } from '../../../format/index.ts';

export interface AttemptWords {
  readonly title: string;
  readonly text: string;
  /** What is shown of output and progress is of an attempt that no longer counts. */
  readonly stale: boolean;
}

type Tool = Pick<
  ToolState,
  'attempt' | 'status' | 'retries' | 'failures' | 'error' | 'retry_at' | 'released' | 'ended_at' | 'idempotent'
>;

/** What is to be said of a call's attempts; nothing while the first one runs or was enough. */
export function attemptWords(tool: Tool, now: number): AttemptWords | undefined {
  const { attempt, status } = tool;
  if (attempt === 0) return undefined;
  if (status === 'retrying') return again(tool, now);
  if (status === 'pending' || status === 'queued' || status === 'awaiting_approval') return between(tool);
  if (attempt === 1) return undefined;
  if (status === 'running') {
    return {
      title: `Attempt ${attempt} of at most ${Math.max(attempt, tool.retries.max_attempts)}`,
      text: `It began anew: what ${earlier(attempt)} wrote and measured no longer counts.`,
      stale: false,
    };
  }
  return {
    title: `${attempt} attempts`,
    text: 'What is shown is of the last one; the others do not count.',
    stale: false,
  };
}

function again({ attempt, error, retry_at }: Tool, now: number): AttemptWords {
  const left = retry_at === undefined ? 0 : Date.parse(retry_at) - now;
  return {
    title: `Attempt ${attempt} failed`,
    text: `${error?.message ?? 'It may be tried again.'} What it wrote does not count; attempt ${attempt + 1} ${
      left > 0 ? `starts in ${duration(left)}` : 'is about to start'
    }.`,
    stale: true,
  };
}

function between({ attempt, released, failures }: Tool): AttemptWords {
  const why =
    released === 'lost'
      ? 'Its executor was lost.'
      : released === 'drain'
        ? 'Its executor was replaced.'
        : released === 'paused'
          ? 'It was handed back while the run is paused.'
          : failures > 0
            ? 'It failed.'
            : 'It was handed back.';
  return {
    title: `Attempt ${attempt} is over`,
    text: `${why} What it wrote and measured does not count; attempt ${attempt + 1} begins anew.`,
    stale: true,
  };
}

const earlier = (attempt: number): string => (attempt === 2 ? 'attempt 1' : `attempts 1 to ${attempt - 1}`);
