import type { IncomingMessage } from 'node:http';
import { SUBPROTOCOL } from '@toolstream/proto-events';
import { CABLE_PROTOCOLS } from '../cable/wire.ts';

export interface WebSocketAddress {
  /** What is spoken here. Of several that a client offers, its first. Nothing else is ever echoed: it may be a token. */
  readonly subprotocols: readonly string[];
  /** A client must offer one of them. */
  readonly required: boolean;
}

/** The WebSocket addresses of the edge, by path. */
export const webSocketAddresses: Readonly<Record<string, WebSocketAddress>> = {
  '/ws': { subprotocols: [SUBPROTOCOL], required: true },
  '/cable': { subprotocols: CABLE_PROTOCOLS, required: true },
};

export function addressOf(url: string | undefined): WebSocketAddress | undefined {
  const path = (url ?? '').replace(/[?#].*$/, '').replace(/(?<=.)\/$/, '');
  return Object.hasOwn(webSocketAddresses, path) ? webSocketAddresses[path] : undefined;
}

export function chooseSubprotocol(offered: Iterable<string>, address: WebSocketAddress | undefined): string | false {
  // Ours, not the client's: that is a piece of all its headers, and stays as long as the connection.
  for (const name of offered) {
    const own = address?.subprotocols.find((known) => known === name);
    if (own !== undefined) return own;
  }
  return false;
}

/** For `ws`, which otherwise echoes the first that is offered. */
export const handleProtocols = (offered: Set<string>, request: IncomingMessage): string | false =>
  chooseSubprotocol(offered, addressOf(request.url));
