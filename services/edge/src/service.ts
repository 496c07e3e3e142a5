import type { AddressInfo } from 'node:net';
import { declareStreams, openEventLog } from '@toolstream/event-log';
import type { RunningService, ServiceContext } from '@toolstream/service-kit';
import { buildEdge } from './app.ts';
import { startCanary } from './canary/canary.ts';
import { type EdgeConfig, hostOf } from './config.ts';
import { readinessOf } from './readiness.ts';

export const VERSION = '0.1.0';
/**
 * Connections that wait to be accepted. When thousands come back at once, one that finds no room here is not refused: it
 * tries again after a second, then after three. The system may allow fewer (`net.core.somaxconn`).
 */
const BACKLOG = 4_096;

/** The edge as a process: streams, log, app, port. */
export async function startEdge(context: ServiceContext<EdgeConfig>): Promise<RunningService> {
  const { config, instance, nc, log: logger, meter } = context;
  const partitions = config.TOOLSTREAM_PARTITIONS;
  await declareStreams(nc, { mode: config.TOOLSTREAM_STREAMS, partitions });
  const log = await openEventLog(nc, { partitions });
  const { readiness, metricsText } = context;
  const edge = await buildEdge({ config, instance, nc, log, logger, meter, readiness, metricsText });
  await edge.http.listen({ port: config.PORT, host: hostOf(config), backlog: BACKLOG });
  const { port } = edge.http.server.address() as AddressInfo;
  const canary =
    config.TOOLSTREAM_CANARY_MS > 0
      ? startCanary(edge.services, meter, {
          everyMs: config.TOOLSTREAM_CANARY_MS,
          url: config.TOOLSTREAM_CANARY_URL ?? `ws://127.0.0.1:${port}/ws`,
        })
      : undefined;
  const { projection, tools } = edge.services;
  return {
    port,
    ready: readinessOf({ nc, projection, tools }),
    stop: async () => {
      // Together: a round may just wait for an answer of the orchestrator, and nobody else is to wait for that.
      await Promise.all([canary?.stop(), edge.stop()]);
    },
  };
}
