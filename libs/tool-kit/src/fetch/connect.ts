import { lookup as resolve } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { forbiddenRange } from './addresses.ts';
import { urlForbidden } from './failures.ts';
import type { FetchOptions } from './options.ts';

export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');
export const portOf = (url: URL): number => Number(url.port || (url.protocol === 'https:' ? 443 : 80));

/** Throws where an address says by itself that it may not be fetched. What its name leads to shows when it is connected. */
export function checkUrl(url: URL, { allow }: FetchOptions): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw urlForbidden(url, `${url.protocol} addresses are not fetched, only http: and https:`, false);
  }
  if (url.username !== '' || url.password !== '') throw urlForbidden(url, 'it holds credentials', false);
  const host = hostOf(url);
  if (isIP(host) === 0 || allow.host(host, portOf(url))) return;
  checkAddress(url, host, allow);
}

function checkAddress(url: URL | string, address: string, allow: FetchOptions['allow']): void {
  const range = forbiddenRange(address);
  if (range !== undefined && !allow.address(address)) {
    throw urlForbidden(url, `${address} is not a public address (${range})`);
  }
}

/**
 * Answers of the resolver are checked before they are connected to, and the peer of every new connection once more
 * before a byte is sent: a name that leads elsewhere the second time gains nothing. Every address must be allowed,
 * not just one of them.
 */
export async function openDispatcher(options: FetchOptions): Promise<Dispatcher> {
  const { Agent, buildConnector, ProxyAgent } = await import('undici');
  const { allow, proxy, connectTimeoutMs, headersTimeoutMs, idleTimeoutMs } = options;
  const timeouts = { headersTimeout: headersTimeoutMs, bodyTimeout: idleTimeoutMs };
  if (proxy !== undefined) return new ProxyAgent({ uri: proxy, ...timeouts, connectTimeout: connectTimeoutMs });

  const checkedLookup: LookupFunction = (hostname, settings, callback) => {
    resolve(hostname, { ...settings, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      try {
        for (const { address } of addresses) checkAddress(hostname, address, allow);
      } catch (refused) {
        return callback(refused as NodeJS.ErrnoException, '', 0);
      }
      if (settings.all) return callback(null, addresses);
      const [first] = addresses;
      callback(null, first?.address ?? '', first?.family ?? 0);
    });
  };
  const guarded = buildConnector({ timeout: connectTimeoutMs, lookup: checkedLookup });
  const named = buildConnector({ timeout: connectTimeoutMs });
  return new Agent({
    ...timeouts,
    maxOrigins: 1024,
    connections: 64,
    connect(target, callback) {
      const port = Number(target.port || (target.protocol === 'https:' ? 443 : 80));
      if (allow.host(target.hostname, port)) return named(target, callback);
      guarded(target, (...outcome) => {
        const [error, socket] = outcome;
        if (error) return callback(error, null);
        try {
          checkAddress(target.hostname, (socket as Socket).remoteAddress ?? 'unknown', allow);
          callback(null, socket);
        } catch (refused) {
          (socket as Socket).destroy();
          callback(refused as Error, null);
        }
      });
    },
  });
}
