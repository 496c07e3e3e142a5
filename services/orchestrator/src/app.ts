import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import {
  type Delivered,
  type DurableConsumer,
  declareStreams,
  type EventLog,
  openEventLog,
} from '@toolstream/event-log';
import {
  commandSubject,
  controlSubject,
  DEAD_STREAM,
  eventStream,
  MESSAGES_BUCKET,
  messagesBucketOptions,
  querySubject,
  type RunCommandName,
  runCommands,
  TIMERS_STREAM,
  timerDueFilter,
} from '@toolstream/proto-events';
import { asError, type CommandEndpoint, type Logger, type Meter, serveCommands } from '@toolstream/service-kit';
import { openStores } from '@toolstream/stores';
import { DeadJobQueue } from './adapters/dead-jobs.ts';
import { DeadLetterStore, openDeadLetters } from './adapters/dead-letter-store.ts';
import { liveRows } from './adapters/live-rows.ts';
import { MessageLinkStore } from './adapters/message-links.ts';
import { present } from './adapters/present.ts';
import { releasePin } from './adapters/release-pin.ts';
import { TimerRetirement } from './adapters/timer-store.ts';
import { ToolCatalog } from './catalog/tool-catalog.ts';
import { openBucket } from './catalog/watched-bucket.ts';
import type { OrchestratorConfig } from './config.ts';
import { Advisories } from './handlers/advisories.ts';
import { DeadLetterQueries } from './handlers/dead-letter-queries.ts';
import { Reactor } from './handlers/reactor.ts';
import { Redrive } from './handlers/redrive.ts';
import { RunCommands } from './handlers/run-command.ts';
import { Slots } from './handlers/slots.ts';
import { Submit } from './handlers/submit.ts';
import { Sweep } from './handlers/sweep.ts';
import { Timers } from './handlers/timers.ts';
import { orchestratorMetrics } from './metrics.ts';
import type { RunLog } from './ports.ts';
import { CatchUp } from './runs/catch-up.ts';
import { Decisions } from './runs/decisions.ts';
import { Effects } from './runs/effects.ts';
import { Feeds } from './runs/feeds.ts';
import { LiveRuns } from './runs/live-runs.ts';

/** The consumers' name in every stream. */
export const DURABLE = 'orchestrator';
/** So long a delivery may be silent before it is given to another replica: what a `kill -9` costs at most. */
const ACK_WAIT_MS = 5_000;
/** Events in hand per partition. */
const IN_HAND = 1_000;

export interface OrchestratorOptions {
  readonly nc: NatsConnection;
  readonly config: OrchestratorConfig;
  readonly instance: string;
  readonly log: Logger;
  readonly meter: Meter;
  /** Puts hooks around the log, for tests that force a race. */
  readonly around?: (log: EventLog) => RunLog;
}

export interface Orchestrator {
  readonly sweep: Sweep;
  /** Takes nothing new, finishes what is in hand, and lets another replica take over at once. */
  stop(): Promise<void>;
}

/** Everything of the service over one connection, without a process around it. */
export async function startOrchestrator(options: OrchestratorOptions): Promise<Orchestrator> {
  const { nc, config, instance, log, meter } = options;
  const partitions = config.TOOLSTREAM_PARTITIONS;
  const create = config.TOOLSTREAM_STREAMS === 'create';
  await declareStreams(nc, { mode: config.TOOLSTREAM_STREAMS, partitions });
  const eventLog = await openEventLog(nc, { partitions });
  const runLog = options.around?.(eventLog) ?? eventLog;
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const [catalog, deadLetters, { artifacts: values }] = await Promise.all([
    ToolCatalog.open({ nc, log, create }),
    openDeadLetters(nc, jsm, create),
    openStores(nc, config),
  ]);

  const openLinks = () => openBucket(nc, MESSAGES_BUCKET, create, messagesBucketOptions);
  // Before anything is accepted, so that whoever watches it need not be allowed to make it.
  await openLinks();

  const consumers: DurableConsumer[] = [];
  const runs = new LiveRuns(config.TOOLSTREAM_LIVE_RUNS_MIB << 20);
  const metrics = orchestratorMetrics(
    meter,
    () => runs.size,
    () => consumers.slice(0, partitions).reduce((sum, { pending }) => sum + pending, 0),
  );
  const feeds = new Feeds();
  const now = present(instance);
  const catchUp = new CatchUp(runLog, feeds);
  const signal = (tenant: string, run: string) => nc.publish(controlSubject(tenant, run));
  const effects = new Effects(runLog, new MessageLinkStore(openLinks), signal, log, metrics);
  const decisions = new Decisions(runLog, effects, catchUp, now, metrics);
  const dispatches = new Slots(config.TOOLSTREAM_DISPATCHES);
  const shared = { log: runLog, runs, decisions, catchUp, effects, present: now, logger: log };

  const limits = {
    timeoutMs: config.TOOLSTREAM_RUN_TIMEOUT,
    maxAgeMs: config.TOOLSTREAM_MAX_RUN_AGE,
    approvalTimeoutMs: config.TOOLSTREAM_APPROVAL_TIMEOUT,
  };
  const submit = new Submit({ ...shared, catalog, dispatches, limits });
  const commands = new RunCommands({ ...shared, catalog, values });
  const timers = new TimerRetirement(eventLog, log);
  const reactor = new Reactor({ ...shared, feeds, timers, counts: metrics });
  const timerHandler = new Timers(shared);
  const letters = new DeadLetterStore(deadLetters);
  const advisories = new Advisories({ ...shared, letters, jobs: new DeadJobQueue(jsm) });
  const redrive = new Redrive({ ...shared, letters, submit: (body) => submit.handle(body) });
  const letterQueries = new DeadLetterQueries(letters);
  const sweep = new Sweep({
    ...shared,
    liveRows: () => liveRows(nc),
    intervalMs: config.TOOLSTREAM_SWEEP_INTERVAL,
    rate: config.TOOLSTREAM_SWEEP_RATE,
  });

  const failed = (what: string) => (error: unknown) => log.warn({ error: asError(error), what }, 'a delivery failed');
  const plain = { style: 'plain' as const, durable: DURABLE, ackWaitMs: ACK_WAIT_MS };
  for (let partition = 0; partition < partitions; partition++) {
    consumers.push(
      await eventLog.consumeDurable({
        style: 'pipelined',
        durable: DURABLE,
        ackWaitMs: ACK_WAIT_MS,
        stream: eventStream(partition),
        maxAckPending: 2 * IN_HAND,
        pinned: { timeoutMs: config.TOOLSTREAM_FAILOVER },
        inHand: IN_HAND,
        handler: (messages) => reactor.handle(messages),
        onError: failed(eventStream(partition)),
      }),
    );
  }
  consumers.push(
    await eventLog.consumeDurable({
      ...plain,
      stream: TIMERS_STREAM,
      filter: timerDueFilter,
      concurrency: 32,
      handler: (message: Delivered) => timerHandler.handle(message),
      onError: failed(TIMERS_STREAM),
    }),
    await eventLog.consumeDurable({
      ...plain,
      stream: DEAD_STREAM,
      concurrency: 4,
      handler: (message: Delivered) => advisories.handle(message),
      onError: failed(DEAD_STREAM),
    }),
  );

  const endpoints: Record<string, CommandEndpoint> = {
    submit: { subject: commandSubject('submit'), handler: (body) => submit.handle(body) },
    redrive: { subject: commandSubject('redrive'), handler: (body) => redrive.handle(body) },
    dlq: { subject: querySubject('dlq'), handler: (body) => letterQueries.list(body) },
    dead_letter: { subject: querySubject('dead_letter'), handler: (body) => letterQueries.get(body) },
  };
  for (const name of Object.keys(runCommands) as RunCommandName[]) {
    endpoints[name] = { subject: commandSubject(name), handler: (body) => commands.handle(name, body) };
  }
  const service = await serveCommands(nc, { name: 'orchestrator', version: '0.1.0', endpoints, log, meter });
  sweep.start();

  return {
    sweep,
    stop: async () => {
      await service.stop();
      await sweep.stop();
      await Promise.all([commands.idle(), dispatches.idle()]);
      await Promise.all(consumers.map((consumer) => consumer.drain()));
      await releasePin(nc, jsm, feeds, partitions, DURABLE);
      catalog.stop();
    },
  };
}
