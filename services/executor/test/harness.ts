import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { toEvent } from '@toolstream/domain';
import { declareStreams, type EventLog, openEventLog, type StoredEvent } from '@toolstream/event-log';
import {
  bucketOfTenant,
  type EventData,
  type EventType,
  type Job,
  jobConsumer,
  jobId,
  type RunAddress,
  type ToolstreamEvent,
  toolSubject,
} from '@toolstream/proto-events';
import { connectNats, createLogger } from '@toolstream/service-kit';
import { type NatsServer, startEphemeralNats } from '@toolstream/testkit';
import { Executor, type ExecutorConfig, executorConfig } from '../src/index.ts';
import { ensureJobConsumer } from '../src/poller/job-consumers.ts';

export const FIXTURE_TOOLS = new URL('./fixtures/tools.ts', import.meta.url).pathname;
export const logger = createLogger({ name: 'test', level: (process.env.LOG_LEVEL as 'debug') ?? 'silent' });

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const newRunId = (): string => `0-${[...randomBytes(26)].map((byte) => ALPHABET[byte % 32]).join('')}`;

/** A real server, and by hand what the orchestrator would do: events on the run's subject, jobs, signals. */
export class Bench {
  readonly nats: NatsServer;
  readonly log: EventLog;
  readonly nc: Awaited<ReturnType<typeof connectNats>>;
  readonly #executors: { executor: Executor; nc: Bench['nc'] }[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #runSeqs = new Map<string, number>();

  static async start(): Promise<Bench> {
    const nats = await startEphemeralNats();
    const nc = await connectNats(nats.url, 'test', logger);
    await declareStreams(nc, { mode: 'create', partitions: 1 });
    return new Bench(nats, nc, await openEventLog(nc, { partitions: 1 }));
  }

  private constructor(nats: NatsServer, nc: Bench['nc'], log: EventLog) {
    this.nats = nats;
    this.nc = nc;
    this.log = log;
  }

  async executor(settings: Partial<Record<keyof ExecutorConfig, string>> = {}): Promise<Executor> {
    const config = executorConfig.parse(this.#settings(settings));
    const instance = `executor-${this.#executors.length + 1}`;
    const nc = await connectNats(this.nats.url, instance, logger);
    const executor = await Executor.start({ nc, config, instance, logger });
    this.#executors.push({ executor, nc });
    return executor;
  }

  #settings(settings: Partial<Record<keyof ExecutorConfig, string>>): Record<string, string> {
    return {
      SLOTS: '4',
      TOOLSTREAM_LEASE_MS: '1500',
      TOOLSTREAM_GRACE_MS: '300',
      TOOLSTREAM_DRAIN_MS: '0',
      TOOLSTREAM_STOP_MS: '3000',
      TOOLSTREAM_WARM_THREADS: '1',
      TOOLSTREAM_TOOLS: FIXTURE_TOOLS,
      ...settings,
    };
  }

  async stop(): Promise<void> {
    await this.stopExecutors();
    await this.nc.close();
    await this.nats.stop();
  }

  /** Ends what a test started, so that the next one finds the queue to itself. */
  async stopExecutors(): Promise<void> {
    for (const child of this.#children.splice(0)) child.kill('SIGKILL');
    for (const { executor, nc } of this.#executors.splice(0)) {
      await executor.stop();
      await nc.close();
    }
  }

  newRun(tenant = 'acme', app = 'web'): RunAddress {
    return { tenant, app, run: newRunId() };
  }

  async runEvent<T extends EventType>(
    run: RunAddress,
    type: T,
    data: EventData<T>,
    toolindex?: number,
  ): Promise<number> {
    const draft = { type, data, writer: 'run', ...(toolindex === undefined ? {} : { toolindex }) };
    const event = toEvent(draft as Parameters<typeof toEvent>[0], address(run), stamp());
    const seq = await this.log.append({ run, event, expected: this.#runSeqs.get(run.run) ?? 0 });
    this.#runSeqs.set(run.run, seq);
    return seq;
  }

  /** An event on the tool's own subject by somebody who is no attempt of the job. */
  async toolEvent<T extends EventType>(
    run: RunAddress,
    index: number,
    expected: number,
    type: T,
    data: EventData<T>,
    job?: string,
    attempt = 1,
  ): Promise<number> {
    const draft = { type, data, writer: index, toolindex: index, attempt };
    const event = toEvent(draft as Parameters<typeof toEvent>[0], address(run), stamp());
    return this.log.append({ run, event, expected, ...(job === undefined ? {} : { jobId: job }) });
  }

  /** `tool.queued` and the job, as the orchestrator makes them. */
  async dispatch(name: string, args: Job['arguments'] = {}, over: Partial<Job> = {}): Promise<Job> {
    const run =
      over.run === undefined
        ? this.newRun(over.tenant, over.app)
        : { ...this.newRun(over.tenant, over.app), run: over.run };
    const dispatch = over.dispatch ?? 1;
    const index = over.index ?? 0;
    const toolSeq = over.tool_seq ?? 0;
    const queued = { dispatch, tool_seq: toolSeq, cause: 'first' } as const;
    const runSeq = await this.runEvent(run, 'tool.queued.v1', queued, index);
    const job: Job = {
      job_id: jobId(run.run, index, dispatch),
      ...run,
      index,
      call_id: `call-${index}`,
      name,
      pool: 'default',
      priority: 'normal',
      dispatch,
      attempt: 1,
      tool_seq: toolSeq,
      run_seq: runSeq,
      queued_at: new Date().toISOString(),
      arguments: args,
      timeout_ms: 60_000,
      idempotent: true,
      isolation: 'thread',
      ...over,
    };
    await this.log.publishJob(job);
    return job;
  }

  /** Takes a job as an executor that then does nothing more would: the next delivery is a second one. */
  async takeAndForget(job: Job, leaseMs = 400): Promise<void> {
    const bucket = bucketOfTenant(job.tenant);
    const name = jobConsumer(job.pool, job.priority, bucket);
    await ensureJobConsumer(this.nc, job.pool, { name, priority: job.priority, bucket }, leaseMs);
    const consumer = await jetstream(this.nc).consumers.get('JOBS', name);
    const message = await consumer.next({ expires: 2000 });
    if (message?.json<Job>().job_id !== job.job_id) throw new Error('another job was in the way');
  }

  /** An executor of its own process, with the service's own entry point. */
  async process(settings: Partial<Record<keyof ExecutorConfig, string>> = {}): Promise<ChildProcess> {
    const tsx = createRequire(import.meta.url).resolve('tsx');
    const child = fork(new URL('../src/main.ts', import.meta.url), {
      execArgv: ['--conditions=toolstream', '--import', tsx],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NATS_URL: this.nats.url, LOG_LEVEL: 'error', ...this.#settings(settings) },
    });
    this.#children.push(child);
    await once(child, 'message');
    return child;
  }

  signal(run: RunAddress): void {
    this.nc.publish(`ts.ctl.${run.tenant}.${run.run}`);
  }

  async events(run: RunAddress, index = 0): Promise<ToolstreamEvent[]> {
    return (await this.stored(run, index)).map((stored) => stored.event());
  }

  async stored(run: RunAddress, index = 0): Promise<StoredEvent[]> {
    const found: StoredEvent[] = [];
    for await (const stored of this.log.read(toolSubject(run, index), { partition: 0, from: 1 })) found.push(stored);
    return found;
  }

  async types(run: RunAddress, index = 0): Promise<string[]> {
    return (await this.events(run, index)).map((event) => event.type.replace(/\.v1$/, ''));
  }

  /** Waits for an event of a type on the tool's subject and returns the newest. */
  async until<T extends EventType>(run: RunAddress, type: T, index = 0, timeoutMs = 10_000) {
    const event = await this.untilSome(run, [type], index, timeoutMs);
    return event as Extract<ToolstreamEvent, { type: T }>;
  }

  async untilEnd(run: RunAddress, index = 0, timeoutMs = 10_000): Promise<ToolstreamEvent> {
    const ends = ['tool.succeeded.v1', 'tool.failed.v1', 'tool.cancelled.v1', 'tool.released.v1'] as const;
    return this.untilSome(run, ends, index, timeoutMs);
  }

  async untilSome(run: RunAddress, types: readonly EventType[], index: number, timeoutMs: number) {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const event = (await this.events(run, index)).findLast((candidate) => types.includes(candidate.type));
      if (event) return event;
      if (performance.now() > deadline) {
        throw new Error(`no ${types.join(' or ')} within ${timeoutMs} ms; there is: ${await this.types(run, index)}`);
      }
      await sleep(15);
    }
  }

  /** Jobs that the queue still holds, acknowledged ones are gone. */
  async jobsLeft(): Promise<number> {
    return (await (await jetstreamManager(this.nc)).streams.info('JOBS')).state.messages;
  }

  async untilJobsLeft(count: number, timeoutMs = 5000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while ((await this.jobsLeft()) !== count) {
      if (performance.now() > deadline) throw new Error(`${await this.jobsLeft()} jobs are left, expected ${count}`);
      await sleep(20);
    }
  }
}

const address = (run: RunAddress) => ({ run_id: run.run, tenant: run.tenant, app: run.app });
const stamp = () => ({ id: randomBytes(12).toString('hex'), source: 'toolstream/test', at: new Date().toISOString() });
