import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
} from '@nats-io/transport-node';
import type { Meter } from '@opentelemetry/api';
import { asError, UnavailableError } from './errors.ts';
import { connectGathering } from './gathering-transport.ts';
import { type Logger, redact } from './logger.ts';

export interface NatsOptions {
  readonly credsFile?: string | undefined;
  readonly nkeySeed?: string | undefined;
  /** How long the first connection may take; afterwards reconnects go on for ever. */
  readonly firstConnectMs?: number;
  /** Gives up waiting for the first connection. */
  readonly signal?: AbortSignal;
}

/** `nats://user:password@host:4222,…` → servers and credentials: the client itself ignores what stands before the `@`. */
export function parseNatsUrl(text: string): Pick<ConnectionOptions, 'servers' | 'user' | 'pass' | 'token' | 'tls'> {
  const urls = text.split(',').map((part) => {
    const trimmed = part.trim();
    return new URL(trimmed.includes('://') ? trimmed : `nats://${trimmed}`);
  });
  const holder = urls.find((url) => url.username !== '');
  const user = holder && decodeURIComponent(holder.username);
  const pass = holder && decodeURIComponent(holder.password);
  return {
    servers: urls.map((url) => `${url.hostname}:${url.port || 4222}`),
    ...(user === undefined ? {} : pass === '' ? { token: user } : { user, pass: pass ?? '' }),
    ...(urls.some((url) => url.protocol === 'tls:') ? { tls: {} } : {}),
  };
}

async function authenticator({ credsFile, nkeySeed }: NatsOptions): Promise<{ authenticator?: Authenticator }> {
  if (credsFile !== undefined) return { authenticator: credsAuthenticator(await readFile(credsFile)) };
  if (nkeySeed !== undefined) return { authenticator: nkeyAuthenticator(new TextEncoder().encode(nkeySeed)) };
  return {};
}

/**
 * A connection that outlives the server: once made it reconnects for ever. Pings every 5 s, two may stay unanswered: a
 * half-open connection is noticed after 15 s at the latest. Inboxes lie under `_INBOX_<name>`, so that permissions can be
 * given per service.
 */
export async function connectNats(
  url: string,
  name: string,
  log: Logger,
  options: NatsOptions = {},
): Promise<NatsConnection> {
  const { firstConnectMs = 60_000, signal } = options;
  const service = name.replace(/[^A-Za-z0-9_-].*$/, '') || 'service';
  const settings: ConnectionOptions = {
    ...parseNatsUrl(url),
    ...(await authenticator(options)),
    name,
    inboxPrefix: `_INBOX_${service}`,
    timeout: 5_000,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 500,
    reconnectJitterTLS: 1_000,
    pingInterval: 5_000,
    maxPingOut: 2,
  };
  const deadline = Date.now() + firstConnectMs;
  for (let tries = 1; ; tries++) {
    try {
      const connection = await connectGathering(settings);
      log.info({ server: connection.getServer(), version: connection.info?.version }, 'connected to NATS');
      void watchStatus(connection, log);
      return connection;
    } catch (error) {
      if (tries === 1) log.warn({ error, url: redact(url) }, 'NATS is not reachable yet, trying on');
      const wait = Math.min(2_000, 100 * 2 ** Math.min(tries, 5));
      if (signal?.aborted || Date.now() + wait > deadline) {
        const reason = asError(error).message;
        const text = `NATS at ${redact(url)} did not accept a connection: ${reason}. Check NATS_URL and the server.`;
        throw new UnavailableError(text, { cause: error });
      }
      await delay(wait, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
  }
}

interface ConnectionState {
  connected: boolean;
  reconnects: number;
}
const states = new WeakMap<NatsConnection, ConnectionState>();

/** Whether a connection made by `connectNats` stands at this moment, as far as the client knows. */
export const isConnected = (nc: NatsConnection): boolean => !nc.isClosed() && (states.get(nc)?.connected ?? true);

export function observeConnection(nc: NatsConnection, meter: Meter): void {
  const connected = meter.createObservableGauge('nats_connected', { description: '1 while connected to NATS' });
  const reconnects = meter.createObservableCounter('nats_reconnects', { description: 'Reconnects to NATS' });
  const messages = meter.createObservableCounter('nats_messages', { description: 'Messages, by direction' });
  const bytes = meter.createObservableCounter('nats_bytes', { description: 'Bytes, by direction' });
  meter.addBatchObservableCallback(
    (observed) => {
      const { inMsgs, outMsgs, inBytes, outBytes } = nc.stats();
      observed.observe(connected, isConnected(nc) ? 1 : 0);
      observed.observe(reconnects, states.get(nc)?.reconnects ?? 0);
      observed.observe(messages, inMsgs, { direction: 'in' });
      observed.observe(messages, outMsgs, { direction: 'out' });
      observed.observe(bytes, inBytes, { direction: 'in' });
      observed.observe(bytes, outBytes, { direction: 'out' });
    },
    [connected, reconnects, messages, bytes],
  );
}

async function watchStatus(connection: NatsConnection, log: Logger): Promise<void> {
  const state: ConnectionState = { connected: true, reconnects: 0 };
  states.set(connection, state);
  for await (const status of connection.status()) {
    switch (status.type) {
      case 'disconnect':
      case 'staleConnection':
        state.connected = false;
        log.warn({ status: status.type, server: connection.getServer() }, 'lost the connection to NATS');
        break;
      case 'reconnect':
        state.connected = true;
        state.reconnects++;
        log.info({ server: status.server }, 'connected to NATS again');
        break;
      case 'error':
        log.error({ error: status.error }, 'NATS reported an error');
        break;
      case 'slowConsumer':
        log.warn({ subject: status.sub.getSubject(), pending: status.pending }, 'a subscription falls behind');
        break;
      case 'ldm':
        log.info('the NATS server is about to shut down');
        break;
      default:
        break;
    }
  }
}
