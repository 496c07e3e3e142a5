import type { ReactNode } from 'react';
import { useRun } from './hooks.ts';
import { LiveRegion } from './live-region.tsx';
import type { Progress } from './progress.ts';
import type { RunState } from './types.ts';
import { PROGRESS_MS, useProgressOf } from './use-progress.ts';
import { progressText, RUN_WORDS } from './words.ts';

export interface RunProgressProps {
  readonly runId: string | undefined;
  readonly className?: string | undefined;
  /** The bar's name; default: `Progress of the run`. */
  readonly label?: string | undefined;
  /** What stands for the bar and its text. What is read aloud stays as it is. */
  readonly children?: ((progress: Progress, run: RunState) => ReactNode) | undefined;
  /** What stands there until the run is known. */
  readonly fallback?: ReactNode;
}

/**
 * How far a run is: a bar without a value while nobody knows, its text, and live regions that tell milestones and, at once, what
 * needs a person. Brings no style: `data-part` and `data-status` are there to be styled.
 */
export function RunProgress({ runId, className, label, children, fallback = null }: RunProgressProps): ReactNode {
  const view = useRun(runId, { throttleMs: PROGRESS_MS });
  const progress = useProgressOf(view);
  const { run, error, status } = view;
  if (!run || !progress) {
    return status === 'failed' ? <p role="alert">The run cannot be watched: {error?.message}</p> : fallback;
  }
  return (
    <div className={className} data-toolstream="run-progress" data-status={run.status}>
      {children ? children(progress, run) : <Bar run={run} progress={progress} label={label} />}
      <LiveRegion run={run} progress={progress} />
    </div>
  );
}

interface BarProps {
  readonly run: RunState;
  readonly progress: Progress;
  readonly label: string | undefined;
}

function Bar({ run, progress, label = 'Progress of the run' }: BarProps): ReactNode {
  const { percent } = progress;
  const text = progressText(progress);
  return (
    <>
      <progress
        data-part="bar"
        aria-label={label}
        aria-valuetext={text}
        max={100}
        {...(percent === undefined ? {} : { value: percent })}
      />
      <span data-part="status">{RUN_WORDS[run.status]}</span> <span data-part="text">{text}</span>
    </>
  );
}
