import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { AckPolicy, type Consumer, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { fold } from '@toolstream/domain';
import { declareStreams, type EventLog, openEventLog, type StoredEvent } from '@toolstream/event-log';
import {
  type CommandReply,
  commandSubject,
  isRunEnded,
  JOBS_STREAM,
  querySubject,
  type RunAddress,
  type RunCommandName,
  type RunState,
  type SubmitReply,
  type SubmitRun,
  TOOLS_BUCKET,
  type ToolDefinition,
  type ToolstreamEvent,
  writerOf,
} from '@toolstream/proto-events';
import { createLogger, startTelemetry, type Telemetry } from '@toolstream/service-kit';
import { type NatsServer, startEphemeralNats } from '@toolstream/testkit';
import { type Orchestrator, orchestratorConfig, type RunLog, startOrchestrator } from '../src/index.ts';
import { APP, TENANT, tool } from './given.ts';
import { HeldJob } from './held-job.ts';

const log = createLogger({ name: 'test', level: process.env.LOG_LEVEL ?? 'silent' });

export interface Running {
  readonly instance: string;
  readonly app: Orchestrator;
  readonly nc: NatsConnection;
  stop(): Promise<void>;
  /** As a crash: the connection is gone, whatever was under way. */
  kill(): Promise<void>;
}

/** A real server, the streams, announced tools, orchestrators on connections of their own, and an executor by hand. */
export class World {
  readonly server: NatsServer;
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly log: EventLog;
  readonly #telemetry: Telemetry;
  readonly #running = new Set<Running>();
  readonly #children = new Set<ChildProcess>();
  #jobs: Consumer | undefined;
  #ids = 0;

  private constructor(
    server: NatsServer,
    nc: NatsConnection,
    jsm: JetStreamManager,
    eventLog: EventLog,
    telemetry: Telemetry,
  ) {
    this.server = server;
    this.nc = nc;
    this.jsm = jsm;
    this.log = eventLog;
    this.#telemetry = telemetry;
  }

  static async start(options: { maxBytes?: number; partitions?: number } = {}): Promise<World> {
    const { partitions = 1, maxBytes } = options;
    const server = await startEphemeralNats();
    const nc = await connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    await declareStreams(nc, { mode: 'create', partitions, ...(maxBytes === undefined ? {} : { maxBytes }) });
    const telemetry = await startTelemetry({ name: 'test', instance: 'test', log });
    const jsm = await jetstreamManager(nc);
    const world = new World(server, nc, jsm, await openEventLog(nc, { partitions }), telemetry);
    await world.announce(tool('write'), tool('deploy', { idempotent: false }), tool('ask', { approval: 'always' }));
    return world;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop()));
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await this.#telemetry.shutdown();
    await this.nc.close();
    await this.server.stop();
  }

  async announce(...tools: ToolDefinition[]): Promise<void> {
    const bucket = await new Kvm(this.nc).create(TOOLS_BUCKET, { history: 1 });
    for (const definition of tools)
      await bucket.put(`${definition.pool}.${definition.name}`, JSON.stringify(definition));
  }

  async orchestrator(
    instance: string,
    options: { env?: Record<string, string>; around?: (log: EventLog) => RunLog } = {},
  ): Promise<Running> {
    const nc = await connect({ servers: this.server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    const config = orchestratorConfig.parse({ TOOLSTREAM_FAILOVER: '1s', ...options.env });
    const { around } = options;
    const app = await startOrchestrator({
      nc,
      config: { ...config, TOOLSTREAM_PARTITIONS: this.log.partitions },
      instance,
      log: log.child({ instance }),
      meter: this.#telemetry.meter,
      ...(around === undefined ? {} : { around }),
    });
    const end = async (how: () => Promise<void>): Promise<void> => {
      if (!this.#running.delete(running)) return;
      await how();
      await nc.close();
    };
    const running: Running = { instance, app, nc, stop: () => end(() => app.stop()), kill: () => end(async () => {}) };
    this.#running.add(running);
    return running;
  }

  /** The service as it is deployed: a process of its own. */
  async process(instance: string): Promise<ChildProcess> {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const child = fork(main, {
      execArgv: ['--conditions=toolstream', '--import', 'tsx'],
      env: {
        ...process.env,
        NATS_URL: this.server.url,
        TOOLSTREAM_INSTANCE: instance,
        TOOLSTREAM_PARTITIONS: String(this.log.partitions),
        TOOLSTREAM_FAILOVER: '1s',
        LOG_LEVEL: process.env.LOG_LEVEL ?? 'error',
      },
    });
    await once(child, 'message');
    this.#children.add(child);
    return child;
  }

  async submit(request: Partial<SubmitRun> & Pick<SubmitRun, 'calls'>): Promise<SubmitReply> {
    const body: SubmitRun = {
      tenant: TENANT,
      actor: 'tester',
      app: APP,
      mode: 'parallel',
      priority: 'normal',
      request_hash: 'h',
      ...request,
    };
    return this.#ask('submit', body) as Promise<SubmitReply>;
  }

  /** Submits and returns the run that was accepted. */
  async accepted(request: Partial<SubmitRun> & Pick<SubmitRun, 'calls'>): Promise<RunAddress & { cursor: string }> {
    const reply = await this.submit(request);
    if (!reply.ok) throw new Error(`not accepted: ${JSON.stringify(reply.error)}`);
    return { tenant: TENANT, app: request.app ?? APP, run: reply.run.run_id, cursor: reply.run.cursor };
  }

  command(name: RunCommandName, run: string, more: Record<string, unknown> = {}): Promise<CommandReply> {
    const body = { tenant: TENANT, actor: 'tester', run, command_id: `cmd${this.#ids++}`, ...more };
    return this.#ask(name, body) as Promise<CommandReply>;
  }

  async #ask(name: string, body: unknown): Promise<unknown> {
    const reply = await this.nc.request(commandSubject(name), JSON.stringify(body), { timeout: 20_000 });
    return reply.json();
  }

  events(run: RunAddress): Promise<StoredEvent[]> {
    return this.log.readRun(run);
  }

  async types(run: RunAddress): Promise<string[]> {
    return (await this.events(run)).map(({ type }) => type);
  }

  async state(run: RunAddress): Promise<RunState | undefined> {
    return fold((await this.events(run)).map((stored) => ({ event: stored.event(), seq: stored.seq })));
  }

  /** Waits until the run's state is as wanted; on time-out the failure shows its events. */
  async until(run: RunAddress, wanted: (state: RunState) => boolean, timeoutMs = 15_000): Promise<RunState> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const state = await this.state(run);
      if (state && wanted(state)) return state;
      if (performance.now() > deadline) throw new Error(`still not so: ${(await this.types(run)).join(' ')}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  ended(run: RunAddress, timeoutMs?: number): Promise<RunState> {
    return this.until(run, ({ status }) => isRunEnded(status), timeoutMs);
  }

  /** The queue as an executor sees it; made once, with the limits of the first caller. */
  async jobs({ maxDeliver = -1, ackWaitMs = 30_000 } = {}): Promise<Consumer> {
    if (!this.#jobs) {
      await this.jsm.consumers.add(JOBS_STREAM, {
        durable_name: 'hands',
        ack_policy: AckPolicy.Explicit,
        ack_wait: ackWaitMs * 1e6,
        max_deliver: maxDeliver,
      });
      this.#jobs = await jetstream(this.nc).consumers.get(JOBS_STREAM, 'hands');
    }
    return this.#jobs;
  }

  /** Takes the next job, as an executor does; `undefined` when none comes in time. */
  async takeJob({ expires = 5_000 } = {}): Promise<HeldJob | undefined> {
    const message = await (await this.jobs()).next({ expires });
    return message ? new HeldJob(this, message) : undefined;
  }

  async mustTakeJob(): Promise<HeldJob> {
    const held = await this.takeJob();
    if (!held) throw new Error('no job came');
    return held;
  }

  /** Jobs in the stream, delivered or not. */
  async jobsWaiting(): Promise<number> {
    return (await this.jsm.streams.info(JOBS_STREAM)).state.messages;
  }

  /** Answers the query for live runs in the projection's place. */
  answerLive(runs: readonly (RunAddress & { seq: number })[]): void {
    const reply = { runs: runs.map(({ tenant, app, run, seq }) => ({ tenant, app, run, seq })) };
    this.nc.subscribe(querySubject('live'), {
      callback: (_error, message) => void message.respond(JSON.stringify(reply)),
    });
  }

  /** Appends an event by hand, as whoever holds the subject would. */
  append(event: ToolstreamEvent, expected: number, jobId?: string): Promise<number> {
    const run = { tenant: event.tenant, app: event.app, run: event.runid };
    return this.log.append({ run, event, expected, ...(jobId === undefined ? {} : { jobId }) });
  }

  /** Claims, succeeds and acknowledges every job until the run has ended. */
  async work(run: RunAddress, timeoutMs = 15_000): Promise<RunState> {
    let ended = false;
    const working = (async () => {
      while (!ended) {
        // While the server is away there is nothing to take.
        const held = await this.takeJob({ expires: 1_000 }).catch(() => undefined);
        if (held) await held.runToSuccess();
      }
    })();
    // A failure to run a job shows in the run, which then does not end.
    working.catch(() => {});
    try {
      const state = await this.ended(run, timeoutMs);
      ended = true;
      await working;
      return state;
    } finally {
      ended = true;
    }
  }
}

/** A log on which `before` runs ahead of each append: where a race is forced. */
export const hooked =
  (before: (event: ToolstreamEvent, writer: 'run' | number) => Promise<void> | void) =>
  (real: EventLog): RunLog => ({
    partitions: real.partitions,
    append: async (request) => {
      await before(request.event, writerOf(request.event));
      return real.append(request);
    },
    cursor: (partition, seq) => real.cursor(partition, seq),
    lastOf: (filter, options) => real.lastOf(filter, options),
    publishJob: (job, timeoutMs) => real.publishJob(job, timeoutMs),
    publishTimer: (timer, timeoutMs) => real.publishTimer(timer, timeoutMs),
    read: (filter, options) => real.read(filter, options),
    readRun: (run, options) => real.readRun(run, options),
  });
