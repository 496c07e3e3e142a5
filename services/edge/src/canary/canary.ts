import { setTimeout } from 'node:timers/promises';
import { asError, type Meter } from '@toolstream/service-kit';
import type { Principal } from '../auth/principal.ts';
import { submitRun } from '../requests/submit.ts';
import type { Services } from '../services.ts';
import { followRun } from './follower.ts';
import { isClean, judge } from './verdict.ts';

/** Its runs are a tenant's of their own: nobody else sees them. */
export const CANARY_TENANT = 'toolstream-canary';
const APP = 'canary';
const CALLS = 3;
const CONTENT_BYTES = 24 * 1024;
const ROUND_TIMEOUT_MS = 60_000;

export interface CanaryOptions {
  /** Milliseconds from the end of one round to the begin of the next. */
  readonly everyMs: number;
  /** Where its clients connect: this edge, or the address that everybody uses. */
  readonly url: string;
}

/**
 * Proves delivery all the time: runs real tools, follows them as clients do, one steadily and one that keeps breaking its
 * connection, and holds what they received against the log. `toolstream_canary_events{outcome="lost"}` must stay 0.
 */
export function startCanary(services: Services, meter: Meter, options: CanaryOptions): { stop(): Promise<void> } {
  const { logger } = services;
  const events = meter.createCounter('toolstream_canary_events', {
    description: 'Events of canary runs, by what became of them at a client: delivered, lost, repeated, disordered',
  });
  const rounds = meter.createCounter('toolstream_canary_rounds', {
    description: 'Canary rounds: clean, dirty, failed',
  });
  const lag = meter.createHistogram('toolstream_canary_lag_seconds', {
    description: "From an event's time to its arrival at a canary client",
    advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
  });
  for (const outcome of ['delivered', 'lost', 'repeated', 'disordered']) events.add(0, { outcome });
  for (const outcome of ['clean', 'dirty', 'failed']) rounds.add(0, { outcome });

  const stopping = new AbortController();
  const round = async (): Promise<void> => {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(ROUND_TIMEOUT_MS)]);
    const run = await submit(services);
    const ticket = async () => (await services.tickets.issue(principal())).ticket;
    const follow = (breakAfter: number | undefined) => followRun({ url: options.url, run, breakAfter, ticket, signal });
    const sights = await Promise.all([follow(undefined), follow(1 + Math.floor(Math.random() * 6))]);
    const stored = await services.log.readRun({ tenant: CANARY_TENANT, app: APP, run });
    const ids = stored.map((event) => event.id);
    let clean = true;
    for (const sight of sights) {
      const verdict = judge(ids, sight);
      for (const outcome of ['delivered', 'lost', 'repeated', 'disordered'] as const)
        events.add(verdict[outcome], { outcome });
      for (const ms of sight.lags) lag.record(ms / 1000);
      if (isClean(verdict)) continue;
      clean = false;
      logger.error({ run, verdict, connections: sight.connections }, 'a canary run was not delivered as it is stored');
    }
    rounds.add(1, { outcome: clean ? 'clean' : 'dirty' });
  };

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await round().catch((error: unknown) => {
        if (stopping.signal.aborted) return;
        rounds.add(1, { outcome: 'failed' });
        logger.warn({ error: asError(error) }, 'a canary round could not be carried out');
      });
      await setTimeout(options.everyMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const done = loop();
  return {
    stop: () => {
      stopping.abort();
      return done;
    },
  };
}

async function submit(services: Services): Promise<string> {
  const calls = Array.from({ length: CALLS }, (_, index) => ({
    call_id: `canary_${index}`,
    name: 'os-write',
    arguments: { file_path: `canary-${index}.txt`, content: `${Date.now()}\n${'canary '.repeat(CONTENT_BYTES / 7)}` },
    depends_on: [],
  }));
  const context = { principal: principal(), request: { headers: {} }, key: undefined };
  const { run } = await submitRun(services, context, { app: APP, mode: 'parallel', priority: 'low', calls });
  return run.run_id;
}

const principal = (): Principal => ({
  sub: 'canary',
  tenant: CANARY_TENANT,
  scopes: ['runs:read'],
  apps: [APP],
  exp: Math.floor(Date.now() / 1000) + 300,
});
