import type { Client } from '@toolstream/client';
import { Scope } from '../scope.ts';

interface Shared {
  readonly scope: Scope;
  users: number;
  closing?: ReturnType<typeof setTimeout>;
}

const CLOSE_AFTER_MS = 1_000;
const byAddress = new Map<string, Shared>();
const byClient = new WeakMap<Client, Shared>();

/** Elements of a page with the same address and token have one client between them, and so one connection. */
export function sharedScope(url: string, token: string): { scope: Scope; leave: () => void } {
  const key = `${token}\n${url}`;
  const shared = byAddress.get(key) ?? { scope: Scope.from({ url, token }), users: 0 };
  byAddress.set(key, shared);
  return use(shared, () => void byAddress.delete(key));
}

/** Over a client that is the page's own. */
export function scopeOver(client: Client): { scope: Scope; leave: () => void } {
  const shared = byClient.get(client) ?? { scope: Scope.over(client), users: 0 };
  byClient.set(client, shared);
  return use(shared, () => void byClient.delete(client));
}

/** An element that is moved leaves and comes back at once. */
function use(shared: Shared, forget: () => void): { scope: Scope; leave: () => void } {
  shared.users++;
  clearTimeout(shared.closing);
  const close = () => {
    forget();
    shared.scope.close();
  };
  return {
    scope: shared.scope,
    leave: () => {
      if (--shared.users === 0) shared.closing = setTimeout(close, CLOSE_AFTER_MS);
    },
  };
}
