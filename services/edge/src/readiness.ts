import type { NatsConnection } from '@nats-io/nats-core';
import type { ReadyReport } from '@toolstream/service-kit';
import type { Projection } from './adapters/projection.ts';
import type { ToolCatalog } from './adapters/tool-catalog.ts';

const CHECK_TIMEOUT_MS = 1_000;
/** Probes come often and from several sides; what they ask of the others is asked at most this often. */
const KEEP_MS = 1_000;

export interface ReadinessParts {
  readonly nc: NatsConnection;
  readonly projection: Projection;
  readonly tools: ToolCatalog;
}

/** Whether a run that is handed over now would be run and shown. */
export function readinessOf({ nc, projection, tools }: ReadinessParts): () => Promise<ReadyReport> {
  let latest: { at: number; report: Promise<ReadyReport> } | undefined;
  const look = async (): Promise<ReadyReport> => {
    const [orchestrator, projected] = await Promise.all([
      answers(nc.request('$SRV.PING.orchestrator', '', { timeout: CHECK_TIMEOUT_MS })),
      answers(projection.positions(CHECK_TIMEOUT_MS)),
    ]);
    const announced = tools.list().length;
    const checks = { orchestrator, projection: projected, tools: announced };
    return { ready: orchestrator && projected && announced > 0, checks };
  };
  return () => {
    const now = performance.now();
    if (!latest || now - latest.at > KEEP_MS) latest = { at: now, report: look() };
    return latest.report;
  };
}

const answers = (asked: Promise<unknown>): Promise<boolean> =>
  asked.then(
    () => true,
    () => false,
  );
