import type { NatsConnection } from '@nats-io/nats-core';
import type { EventLog } from '@toolstream/event-log';
import type { Logger, Meter, ReadyReport } from '@toolstream/service-kit';
import { openStores } from '@toolstream/stores';
import type { FastifyInstance } from 'fastify';
import { deadLettersClient } from './adapters/dead-letters.ts';
import { openEdges } from './adapters/edges.ts';
import { openMessages } from './adapters/messages.ts';
import { orchestratorClient } from './adapters/orchestrator.ts';
import { projectionClient } from './adapters/projection.ts';
import { openRevocations } from './adapters/revocations.ts';
import { runReader } from './adapters/run-reader.ts';
import { openTickets } from './adapters/tickets.ts';
import { watchTools } from './adapters/tool-catalog.ts';
import { originCheck } from './auth/origins.ts';
import type { Principal } from './auth/principal.ts';
import { tokenVerifier } from './auth/tokens.ts';
import { CableMemory } from './cable/memory.ts';
import { PastStates } from './cable/past-states.ts';
import type { EdgeConfig } from './config.ts';
import { deliveryOf } from './delivery/delivery.ts';
import { ownDelivery } from './delivery/own.ts';
import { DeliveryRecorder } from './delivery/recorder.ts';
import { Feeds } from './feeds/feeds.ts';
import { flusher } from './feeds/flusher.ts';
import { RingBudget } from './feeds/ring.ts';
import { appSource, runSource } from './feeds/sources.ts';
import { edgeMetrics, type Gauges } from './metrics.ts';
import { httpServer } from './server.ts';
import type { Services } from './services.ts';
import { Admission } from './socket/admission.ts';
import { Clients } from './socket/clients.ts';
import { drain, longestDrainMs } from './socket/drain.ts';

export interface EdgeParts {
  readonly config: EdgeConfig;
  readonly instance: string;
  readonly nc: NatsConnection;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly meter: Meter;
  /** What `/readyz` and `/metrics` answer. */
  readiness(): Promise<ReadyReport>;
  metricsText(): Promise<string>;
}

export interface Edge {
  /** Built, not listening. */
  readonly http: FastifyInstance;
  readonly services: Services;
  /** Drains and ends. A second call waits for the first. */
  stop(): Promise<void>;
}

const RING = { entries: 512, bytes: 1024 * 1024 };
const ALL_RINGS_BYTES = 256 * 1024 * 1024;

export async function buildEdge(parts: EdgeParts): Promise<Edge> {
  const { config, instance, nc, log, logger, meter, readiness, metricsText } = parts;
  const projection = projectionClient(nc);
  const reader = runReader(log, projection);
  const clients = new Clients(Math.min(config.TOOLSTREAM_HEARTBEAT_MS, config.TOOLSTREAM_CABLE_PING_MS));
  const turn = flusher();
  const gauges = (): Gauges => ({
    sockets: clients.count('socket'),
    streams: clients.count('stream'),
    subscriptions: clients.sum('subscriptions'),
    messages: messages.size,
    waitingBytes: clients.sum('waitingBytes'),
    feeds: feeds.size,
    ringBytes: feeds.ringBytes,
  });
  const recorder = new DeliveryRecorder();
  const metrics = edgeMetrics(meter, gauges, recorder);
  const feeds = new Feeds(
    {
      log,
      logger,
      flusher: turn,
      ringLimits: RING,
      ringBudget: new RingBudget(ALL_RINGS_BYTES),
      sourceOf: (topic) =>
        topic.kind === 'run' ? runSource(reader, topic.run) : appSource(log, projection, reader, topic),
      observer: metrics,
    },
    config.TOOLSTREAM_FEED_LINGER_MS,
  );
  const [messages, tools, revocations, { artifacts, workspace }] = await Promise.all([
    openMessages(nc, projection, logger),
    watchTools(nc, logger),
    openRevocations(nc, logger, config.TOOLSTREAM_MAX_TOKEN_AGE * 1000),
    openStores(nc, config),
  ]);
  const isRevoked = (principal: Principal) => revocations.covers(principal);
  clients.judgeBy(isRevoked);
  revocations.onRevoked(() => clients.revoke());
  const edges = openEdges({ nc, logger, own: ownDelivery({ instance, recorder, gauges }) });
  const services: Services = {
    config,
    logger,
    log,
    feeds,
    reader,
    projection,
    orchestrator: orchestratorClient(nc),
    deadLetters: deadLettersClient(nc),
    messages,
    tools,
    artifacts,
    workspace,
    tokens: tokenVerifier({
      secret: config.TOOLSTREAM_JWT_SECRET,
      jwksUrl: config.TOOLSTREAM_JWKS_URL,
      maxAgeS: config.TOOLSTREAM_MAX_TOKEN_AGE,
      isRevoked,
    }),
    tickets: await openTickets(nc, isRevoked),
    revocations,
    allowsOrigin: originCheck(config.TOOLSTREAM_ALLOWED_ORIGINS, config.TOOLSTREAM_DEV),
    clients,
    admission: new Admission({ config, clients, metrics }),
    cable: { memory: new CableMemory(nc, logger), past: new PastStates(reader, log) },
    flusher: turn,
    metrics,
    delivery: deliveryOf({ edges, projection, log }),
    readiness,
    metricsText,
  };
  const http = await httpServer(services);
  const stop = async () => {
    await drain(clients, config);
    await services.cable.memory.settled();
    await closeWithin(http, CLOSE_MS);
    tools.stop();
    revocations.stop();
    messages.stop();
    edges.stop();
    feeds.close();
  };
  let stopping: Promise<void> | undefined;
  return {
    http,
    services,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** Requests in hand are answered; what takes longer than this is cut off. */
const CLOSE_MS = 5_000;

/** From the signal to the end, and something to spare: after that the process is ended hard. */
export const stopDeadlineMs = (config: EdgeConfig): number =>
  Math.max(20_000, longestDrainMs(config) + CLOSE_MS + 5_000);

async function closeWithin(http: FastifyInstance, ms: number): Promise<void> {
  const cut = setTimeout(() => http.server.closeAllConnections(), ms);
  try {
    await http.close();
  } finally {
    clearTimeout(cut);
  }
}
