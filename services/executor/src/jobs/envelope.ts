import { randomUUID } from 'node:crypto';
import { toEvent } from '@toolstream/domain';
import type { EventData, EventType, Job, ToolstreamEvent } from '@toolstream/proto-events';

/** An event of an attempt, on its tool's subject. Its id is new: make it once, and append that one again if need be. */
export function attemptEvent<T extends EventType>(
  job: Job,
  attempt: number,
  source: string,
  type: T,
  data: EventData<T>,
): ToolstreamEvent {
  return toEvent(
    { type, data, writer: job.index, toolindex: job.index, attempt } as Parameters<typeof toEvent>[0],
    { run_id: job.run, tenant: job.tenant, app: job.app },
    { id: randomUUID(), source, at: new Date().toISOString(), traceparent: job.traceparent },
  );
}
