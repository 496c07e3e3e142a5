import { isRunEnded, type PausePolicy, type RunState, type ToolstreamEvent } from '@toolstream/proto-events';

/**
 * The part of a run's state that an attempt obeys. The full fold derives a run's status from this same function, so an
 * executor that reads only the run's own subject cannot come to another opinion.
 */
export interface RunControl {
  readonly paused: boolean;
  readonly cancelling: boolean;
  readonly ended: boolean;
  readonly cancelled_tools: readonly number[];
}

export const FREE: RunControl = { paused: false, cancelling: false, ended: false, cancelled_tools: [] };

export function evolveControl(control: RunControl, event: ToolstreamEvent): RunControl {
  if (control.ended) return control;
  switch (event.type) {
    case 'run.paused.v1':
      return control.cancelling || control.paused ? control : { ...control, paused: true };
    case 'run.resumed.v1':
      return control.paused ? { ...control, paused: false } : control;
    case 'run.cancel_requested.v1':
      return control.cancelling ? control : { ...control, paused: false, cancelling: true };
    case 'run.succeeded.v1':
    case 'run.failed.v1':
    case 'run.cancelled.v1':
      return { ...control, paused: false, ended: true };
    case 'tool.cancel_requested.v1': {
      const index = event.toolindex;
      if (index === undefined || control.cancelled_tools.includes(index)) return control;
      return { ...control, cancelled_tools: [...control.cancelled_tools, index] };
    }
    case 'tool.retry_requested.v1':
      return { ...control, cancelled_tools: control.cancelled_tools.filter((i) => i !== event.toolindex) };
    default:
      return control;
  }
}

export function controlOf(state: RunState): RunControl {
  return {
    paused: state.paused_at !== undefined,
    cancelling: state.status === 'cancelling',
    ended: isRunEnded(state.status),
    cancelled_tools: state.tools.flatMap((tool) => (tool.cancel ? [tool.index] : [])),
  };
}

/**
 * What an attempt of this tool must do now. An ended run is `cancel`: nothing may follow its end. A tool whose policy is to
 * `finish` goes on through a pause; what is paused then is only the start of others.
 */
export function toolControl(
  control: RunControl,
  { index, pause = 'hold' }: { readonly index: number; readonly pause?: PausePolicy | undefined },
): 'run' | 'pause' | 'cancel' {
  if (control.ended || control.cancelling || control.cancelled_tools.includes(index)) return 'cancel';
  return control.paused && pause === 'hold' ? 'pause' : 'run';
}
