import { createHmac, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { NatsConnection } from '@nats-io/nats-core';
import { declareStreams, type EventLog, openEventLog } from '@toolstream/event-log';
import { connectNats, createLogger, startTelemetry } from '@toolstream/service-kit';
import { type NatsServer, startEphemeralNats } from '@toolstream/testkit';
import { buildEdge, type Edge, edgeConfig } from '../src/index.ts';

export const SECRET = 'a-secret-of-the-tests-with-enough-characters';

/** A token as an identity provider would sign it; claims may be overridden or left out. */
export function token(claims: Record<string, unknown> = {}, secret = SECRET): string {
  const body = {
    sub: 'user-1',
    tenant: 't1',
    scope: 'runs:read runs:write runs:control',
    apps: '*',
    exp: Math.floor(Date.now() / 1000) + 600,
    ...claims,
  };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(body)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

export interface TestEdge {
  readonly edge: Edge;
  readonly url: string;
  readonly wsUrl: string;
  readonly nc: NatsConnection;
  /** Reads of the log so far. */
  reads(): number;
  fetch(path: string, init?: RequestInit & { token?: string | undefined }): Promise<Response>;
  stop(): Promise<void>;
}

const quiet = createLogger({ name: 'test', level: process.env.LOG_LEVEL ?? 'silent' });

export async function startTestEdge(
  nats: NatsServer,
  env: Record<string, string> = {},
  logger = quiet,
  instance = 'edge-test',
): Promise<TestEdge> {
  const partitions = Number(env.TOOLSTREAM_PARTITIONS ?? 1);
  const nc = await connectNats(nats.url, 'edge-test', quiet);
  await declareStreams(nc, { mode: 'create', partitions });
  const log = await openEventLog(nc, { partitions });
  let reads = 0;
  const read = log.read.bind(log);
  log.read = (filter, options) => {
    reads++;
    return read(filter, options);
  };
  const telemetry = await startTelemetry({ name: 'edge', instance, log: quiet });
  const config = edgeConfig.parse({
    PORT: '0',
    TOOLSTREAM_JWT_SECRET: SECRET,
    TOOLSTREAM_DEV: '1',
    TOOLSTREAM_DRAIN_MS: '0',
    ...env,
  });
  const edge = await buildEdge({
    config,
    instance,
    nc,
    log,
    logger,
    meter: telemetry.meter,
    readiness: async () => ({ ready: true }),
    metricsText: () => telemetry.metricsText(),
  });
  await edge.http.listen({ port: 0, host: '127.0.0.1' });
  const { port } = edge.http.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    edge,
    url,
    wsUrl: `ws://127.0.0.1:${port}/ws`,
    nc,
    reads: () => reads,
    fetch: (path, { token: bearer = token(), ...init } = {}) =>
      fetch(url + path, {
        ...init,
        headers: {
          ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }),
          ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(init.headers as Record<string, string> | undefined),
        },
      }),
    stop: async () => {
      await edge.stop();
      await telemetry.shutdown();
      await nc.close();
    },
  };
}

export interface TestLog {
  readonly nats: NatsServer;
  readonly nc: NatsConnection;
  readonly log: EventLog;
  stop(): Promise<void>;
}

/** A server with streams, and a log of its own connection to write with. */
export async function startTestLog(partitions = 1): Promise<TestLog> {
  const nats = await startEphemeralNats();
  const nc = await connectNats(nats.url, 'writer', quiet);
  await declareStreams(nc, { mode: 'create', partitions });
  const log = await openEventLog(nc, { partitions });
  return {
    nats,
    nc,
    log,
    stop: async () => {
      await nc.close();
      await nats.stop();
    },
  };
}

export const uniqueName = (prefix: string): string => `${prefix}-${randomUUID().slice(0, 8)}`;

export async function until(what: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await what())) {
    if (performance.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
