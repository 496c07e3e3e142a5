import type { JsMsg } from '@nats-io/jetstream';
import {
  type EventType,
  eventSubjectAttribute,
  type Job,
  type RunAddress,
  type ToolstreamEvent,
} from '@toolstream/proto-events';

let events = 0;

export function eventBy(
  source: string,
  run: RunAddress,
  writer: 'run' | number,
  type: EventType,
  data: unknown,
  more: { toolindex?: number; attempt?: number } = {},
): ToolstreamEvent {
  return {
    specversion: '1.0',
    id: `hand_${events++}`,
    source,
    type,
    time: new Date().toISOString(),
    subject: eventSubjectAttribute(run.run, writer),
    datacontenttype: 'application/json',
    runid: run.run,
    tenant: run.tenant,
    app: run.app,
    ...(writer === 'run' ? {} : { toolindex: writer }),
    ...more,
    data,
  } as ToolstreamEvent;
}

/** Where what is done by hand is appended: answers with the event's sequence. */
interface Appends {
  append(event: ToolstreamEvent, expected: number, jobId?: string): Promise<number>;
}

/** A job in an executor's hands, and the chain of its attempt. */
export class HeldJob {
  readonly job: Job;
  readonly message: JsMsg;
  readonly #log: Appends;
  #tail = 0;

  constructor(log: Appends, message: JsMsg) {
    this.#log = log;
    this.message = message;
    this.job = message.json<Job>();
    this.#tail = this.job.tool_seq;
  }

  get run(): RunAddress {
    const { tenant, app, run } = this.job;
    return { tenant, app, run };
  }

  async append(type: EventType, data: unknown): Promise<number> {
    const { job } = this;
    const event = eventBy('toolstream/hands', this.run, job.index, type, data, { attempt: job.attempt });
    this.#tail = await this.#log.append(event, this.#tail, job.job_id);
    return this.#tail;
  }

  claim(): Promise<number> {
    return this.append('tool.started.v1', { dispatch: this.job.dispatch, executor: 'hands', queue_ms: 0 });
  }

  succeed(): Promise<number> {
    return this.append('tool.succeeded.v1', { result: { ok: true }, metrics: { duration_ms: 1 } });
  }

  fail(retryable: boolean): Promise<number> {
    return this.append('tool.failed.v1', { error: { code: 'tool_error', message: 'no' }, retryable });
  }

  async runToSuccess(): Promise<void> {
    await this.claim();
    await this.succeed();
    this.message.ack();
  }
}
