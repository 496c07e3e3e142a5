import type { EventType, ToolstreamEvent } from '@toolstream/proto-events';
import { at, event, plan, plannedTool } from '../../../../libs/domain/test/given.ts';
import { EventHistory, type HistoryLimits, LIMITS } from '../../src/views/timeline/model/event-history.ts';

type More = NonNullable<Parameters<typeof event>[2]>;

/** A run's log as a test writes it: what happened, and the millisecond at which it did. */
export class RunLog {
  readonly events: ToolstreamEvent[] = [];

  constructor(tools: Parameters<typeof plannedTool>[1][] = [{}, {}]) {
    this.add(0, 'run.accepted.v1', plan({ tools: tools.map((over, index) => plannedTool(index, over)) }));
    this.add(0, 'run.started.v1', {});
  }

  add(ms: number, type: EventType, data: object, more: Omit<More, 'ms'> = {}): this {
    this.events.push(
      event(...([type, data, { ...more, ms, id: `e${this.events.length}` }] as unknown as Parameters<typeof event>)),
    );
    return this;
  }

  queued(ms: number, tool: number, dispatch = 1, cause = 'first'): this {
    return this.add(ms, 'tool.queued.v1', { dispatch, tool_seq: 0, cause }, { tool });
  }

  started(ms: number, tool: number, attempt = 1, dispatch = attempt): this {
    return this.own(ms, tool, attempt, 'tool.started.v1', { dispatch, executor: 'x', queue_ms: 0 });
  }

  succeeded(ms: number, tool: number, attempt = 1): this {
    return this.own(ms, tool, attempt, 'tool.succeeded.v1', { result: 1, metrics: {} });
  }

  own(ms: number, tool: number, attempt: number, type: EventType, data: object): this {
    return this.add(ms, type, data, { tool, attempt, own: true });
  }

  history(limits: Partial<HistoryLimits> = {}): EventHistory {
    return historyOf(
      this.events.map((logged, index) => ({ event: logged, seq: 10 + index * 3 })),
      limits,
    );
  }
}

export function historyOf(
  log: readonly { event: ToolstreamEvent; seq: number }[],
  limits: Partial<HistoryLimits> = {},
): EventHistory {
  const history = new EventHistory({ ...LIMITS, ...limits });
  for (const { event: logged, seq } of log) history.append(logged, seq, JSON.stringify(logged).length);
  return history;
}

export const ms = (time: number): number => time - Date.parse(at(0));
