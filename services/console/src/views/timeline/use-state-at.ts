import type { RunState, ToolstreamEvent } from '@toolstream/proto-events';
import { useEffect } from 'react';
import type { LogView, RunLog } from './data/run-log.ts';
import { pageOf } from './model/bodies.ts';
import { isMissing } from './model/event-history.ts';

export interface StateAt {
  /** Absent while events that were dropped from memory are on their way back. */
  readonly state: RunState | undefined;
  /** The event itself; absent for the present. */
  readonly event: ToolstreamEvent | undefined;
}

/** The run as it was after an event; without one, as it is now. */
export function useStateAt(log: RunLog, { history }: LogView, index: number | undefined): StateAt {
  const found = index === undefined ? undefined : history.stateAt(index);
  const missing = found && isMissing(found) ? found.missing : undefined;
  const event = useEvent(log, history, index);
  useEffect(() => {
    if (missing !== undefined) log.need(missing);
  }, [log, missing]);
  if (index === undefined) return { state: history.head, event: undefined };
  return { state: found && !isMissing(found) ? found : undefined, event };
}

/** An event of the history, fetched again where it was dropped. */
export function useEvent(
  log: RunLog,
  history: LogView['history'],
  index: number | undefined,
): ToolstreamEvent | undefined {
  const event = index === undefined ? undefined : history.eventAt(index);
  const page = index !== undefined && !event ? pageOf(index) : undefined;
  useEffect(() => {
    if (page !== undefined) log.need(page);
  }, [log, page]);
  return event;
}
