import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import { type EventLog, openEventLog } from '@toolstream/event-log';
import { controlSubjects, type Isolation, parseControlSubject } from '@toolstream/proto-events';
import type { Logger, Meter, ReadyReport, Tracer } from '@toolstream/service-kit';
import { openStores } from './adapters/stores.ts';
import { loadTools } from './catalog/load-tools.ts';
import { ServedTools } from './catalog/served-tools.ts';
import type { ExecutorConfig } from './config.ts';
import { ControlWatch } from './control/control-watch.ts';
import { inlineRunner } from './isolation/inline-runner.ts';
import { ProcessRunner } from './isolation/process-runner.ts';
import type { LoadedTool, ToolRunner } from './isolation/runner.ts';
import { ThreadRunner } from './isolation/thread-runner.ts';
import { JobHandler } from './jobs/job-handler.ts';
import { McpServers } from './mcp/servers.ts';
import { executorMetrics } from './metrics.ts';
import { ensureJobConsumer, jobSources } from './poller/job-consumers.ts';
import type { Source } from './poller/plan.ts';
import { JobPoller } from './poller/poller.ts';

export interface ExecutorOptions {
  readonly nc: NatsConnection;
  readonly config: ExecutorConfig;
  readonly instance: string;
  readonly logger: Logger;
  readonly meter?: Meter | undefined;
  readonly tracer?: Tracer | undefined;
  /** In place of those that the configuration names. */
  readonly tools?: ReadonlyMap<string, LoadedTool>;
}

/**
 * A consumer that was deleted is made again only after a while: the server removes a deleted one's files a moment later,
 * and takes those of a new one with the same name along (seen with 2.15.1).
 */
const ENSURE_WAIT_MS = 1000;

/** An executor that is announced and takes jobs from the moment `start` resolves until `stop`. */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #control: ControlWatch;
  readonly #handler: JobHandler;
  readonly #poller: JobPoller;
  readonly #runners: readonly ToolRunner[];
  readonly #served: ServedTools;
  readonly #mcp: McpServers;
  readonly #ensuring = new Set<Source>();
  #signals: Subscription | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #stopping = false;

  static async start(options: ExecutorOptions): Promise<Executor> {
    const { nc, config } = options;
    const log = await openEventLog(nc, { partitions: config.TOOLSTREAM_PARTITIONS });
    const tools = options.tools ?? (await loadTools(config.TOOLSTREAM_TOOLS));
    const executor = new Executor(options, log, tools, await openStores(nc, config));
    await executor.#begin();
    return executor;
  }

  private constructor(
    options: ExecutorOptions,
    log: EventLog,
    tools: ReadonlyMap<string, LoadedTool>,
    storesFor: Awaited<ReturnType<typeof openStores>>,
  ) {
    const { nc, config, instance, logger, meter, tracer } = options;
    this.#options = options;
    this.#served = new ServedTools(tools, { nc, pool: config.TOOLSTREAM_POOL, logger });
    this.#mcp = new McpServers({
      servers: config.TOOLSTREAM_MCP,
      logger,
      onTools: (server, listed) => this.#served.replace(`mcp:${server}`, listed),
    });
    this.#control = new ControlWatch(log, (error) => logger.error({ error }, 'could not look at a run'));
    const thread = new ThreadRunner({
      maxThreads: config.SLOTS,
      warmThreads: config.TOOLSTREAM_WARM_THREADS,
      memoryMb: config.TOOLSTREAM_THREAD_HEAP_MB,
      modules: modulesOf(tools, 'thread'),
      onError: (error) => logger.error({ error }, 'a tool thread failed'),
    });
    const processModules = modulesOf(tools, 'process');
    const process = new ProcessRunner({
      maxProcesses: config.SLOTS,
      warmProcesses: processModules.length === 0 ? 0 : config.TOOLSTREAM_WARM_PROCESSES,
      memoryMb: config.TOOLSTREAM_PROCESS_MEMORY_MB,
      modules: processModules,
      onPrint: (pid, text) => logger.info({ pid, text }, 'a tool process printed'),
    });
    this.#runners = [thread, process];
    this.#handler = new JobHandler({
      log,
      tools: this.#served.tools,
      runners: { inline: inlineRunner, thread, process },
      storesFor,
      control: this.#control,
      logger,
      instance,
      progressHz: config.TOOLSTREAM_PROGRESS_HZ,
      graceMs: config.TOOLSTREAM_GRACE_MS,
      pauseHoldMs: config.TOOLSTREAM_PAUSE_HOLD_MS,
      metrics: executorMetrics(meter, () => ({ busy: this.#poller.busy, slots: config.SLOTS })),
      tracer,
    });
    this.#poller = new JobPoller({
      nc,
      sources: jobSources(config.TOOLSTREAM_POOL),
      slots: config.SLOTS,
      onDelivery: (delivery) => void this.#handler.handle(delivery).finally(() => this.#poller.release()),
      onMissing: (source) => void this.#restore(source),
    });
  }

  /** Jobs that hold a slot at this moment. */
  get busy(): number {
    return this.#poller.busy;
  }

  /** It can work while an MCP server is away; which one, and why, is in the report. */
  get readiness(): ReadyReport {
    const states = Object.entries(this.#mcp.states).map(([server, state]) => [`mcp.${server}`, state]);
    return { ready: true, checks: Object.fromEntries(states) };
  }

  /** The MCP servers: `up`, or why not, and their processes. */
  get mcp(): Pick<McpServers, 'states' | 'pidOf'> {
    return this.#mcp;
  }

  /**
   * Takes no more jobs, lets the running ones finish for a while, then hands back those that may run again elsewhere.
   * What is left gets the remaining time; after that its job is taken over when its lease runs out.
   */
  async stop(): Promise<void> {
    const { TOOLSTREAM_DRAIN_MS: drainMs, TOOLSTREAM_STOP_MS: stopMs } = this.#options.config;
    const deadline = performance.now() + stopMs;
    this.#stopping = true;
    await this.#poller.stop();
    if (!(await this.#idleBy(performance.now() + drainMs))) {
      this.#handler.handBack();
      if (!(await this.#idleBy(deadline))) this.#handler.abandon();
    }
    clearInterval(this.#heartbeat);
    this.#signals?.unsubscribe();
    this.#control.stop();
    this.#served.stop();
    await Promise.all([this.#mcp.stop(), ...this.#runners.map((runner) => runner.close())]);
  }

  async #begin(): Promise<void> {
    const { nc, config, logger } = this.#options;
    const pool = config.TOOLSTREAM_POOL;
    const leases = await Promise.all(
      jobSources(pool).map((source) => ensureJobConsumer(nc, pool, source, config.TOOLSTREAM_LEASE_MS)),
    );
    const leaseMs = Math.min(...leases);
    if (leaseMs !== config.TOOLSTREAM_LEASE_MS) {
      logger.warn({ leaseMs, configured: config.TOOLSTREAM_LEASE_MS }, 'the pool has another lease: keeping to it');
    }
    this.#signals = nc.subscribe(controlSubjects, {
      callback: (error, msg) => {
        const run = error ? undefined : parseControlSubject(msg.subject);
        if (run) void this.#control.signal(run.tenant, run.run);
      },
    });
    this.#heartbeat = setInterval(() => {
      this.#handler.beat();
      void this.#control.all();
    }, leaseMs / 3);
    void this.#watchConnection();
    await this.#mcp.start();
    await this.#served.announce();
    this.#poller.start();
    logger.info({ pool, slots: config.SLOTS, leaseMs, tools: [...this.#served.tools.keys()] }, 'takes jobs');
  }

  async #watchConnection(): Promise<void> {
    for await (const status of this.#options.nc.status()) {
      if (status.type !== 'reconnect') continue;
      // Beats and signals of the meantime are lost.
      this.#handler.beat();
      this.#poller.reset();
      void this.#control.all();
    }
  }

  async #restore(source: Source): Promise<void> {
    if (this.#ensuring.has(source)) return;
    this.#ensuring.add(source);
    const { nc, config, logger } = this.#options;
    while (!this.#stopping && !nc.isClosed()) {
      await new Promise((resolve) => setTimeout(resolve, ENSURE_WAIT_MS));
      try {
        await ensureJobConsumer(nc, config.TOOLSTREAM_POOL, source, config.TOOLSTREAM_LEASE_MS);
        break;
      } catch (error) {
        logger.warn({ error, consumer: source.name }, 'a job consumer is missing and cannot be made: trying again');
      }
    }
    source.blockedUntil = 0;
    source.heardAt = Number.NEGATIVE_INFINITY;
    this.#ensuring.delete(source);
  }

  async #idleBy(deadline: number): Promise<boolean> {
    while (this.#handler.held > 0) {
      if (performance.now() >= deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return true;
  }
}

/** Modules of the tools that are meant to run so: what their threads or processes load before a call comes. */
function modulesOf(tools: ReadonlyMap<string, LoadedTool>, isolation: Isolation): string[] {
  const so = [...tools.values()].filter(
    ({ tool, defaultIsolation = 'thread' }) => (tool.isolation ?? defaultIsolation) === isolation,
  );
  return [...new Set(so.map(({ module }) => module))];
}
