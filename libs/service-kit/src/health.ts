import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asError } from './errors.ts';
import type { Logger } from './logger.ts';
import { METRICS_CONTENT_TYPE } from './telemetry.ts';

/** Whether the service can do its work now, and what it depends on. */
export interface ReadyReport {
  readonly ready: boolean;
  readonly checks?: Readonly<Record<string, string | number | boolean>>;
}

export interface HealthOptions {
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
  readiness(): Promise<ReadyReport>;
  metricsText(): Promise<string>;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** `/healthz`: the process answers. `/readyz`: it can work (503 while it cannot, and while it drains). `/metrics`: Prometheus text. */
export async function startHealthServer({ host, port, log, ...probes }: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    answer(request.method, request.url, response, probes).catch((error: unknown) => {
      log.error({ error, path: request.url }, 'a health request failed');
      sendJson(response, 500, { error: asError(error).message });
    });
  });
  server.requestTimeout = 5_000;
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Probes = Pick<HealthOptions, 'readiness' | 'metricsText'>;

async function answer(method = '', url = '', response: ServerResponse, probes: Probes): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') return sendJson(response, 405, { error: 'only GET is answered here' });
  switch (url.split('?', 1)[0]) {
    case '/healthz':
      return sendJson(response, 200, { status: 'ok', uptime_s: Math.round(process.uptime()) });
    case '/readyz': {
      const report = await probes.readiness();
      return sendJson(response, report.ready ? 200 : 503, report);
    }
    case '/metrics':
      response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE });
      response.end(await probes.metricsText());
      return;
    default:
      return sendJson(response, 404, { error: 'ask for /healthz, /readyz or /metrics' });
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (!response.headersSent) response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
