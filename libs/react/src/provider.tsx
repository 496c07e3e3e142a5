import type { Client, ClientOptions } from '@toolstream/client';
import { createContext, type ReactNode, useContext, useEffect, useInsertionEffect, useMemo, useRef } from 'react';
import { Scope } from './scope.ts';

export type ToolstreamProviderProps = { readonly children?: ReactNode } & (
  | { readonly client: Client }
  | (ClientOptions & { readonly client?: undefined })
);

const ScopeContext = createContext<Scope | undefined>(undefined);

/** Time after which a provider that has gone closes what it made: React takes one away and brings it back at will. */
const CLOSE_AFTER_MS = 1_000;

/**
 * What the hooks below it use: a client of yours, which stays yours to close, or the options of one, which the provider makes
 * and closes. Another `url` or fixed token makes another client; a token function may change freely.
 */
export function ToolstreamProvider(props: ToolstreamProviderProps): ReactNode {
  const latest = useRef(props);
  // Before any component below is told that it is on the page and asks for a token.
  useInsertionEffect(() => {
    latest.current = props;
  });
  const { client, url, token, transports } = props as Partial<ClientOptions> & { client?: Client };
  const fixed = typeof token === 'string' ? token : undefined;
  const allowed = transports?.join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the options are made anew with every rendering; these decide
  const scope = useMemo(() => {
    if (client) return Scope.over(client);
    const options = props as ClientOptions;
    if (fixed !== undefined) return Scope.from(options);
    const current = () => (latest.current as ClientOptions).token as () => string | Promise<string>;
    return Scope.from({ ...options, token: () => current()() });
  }, [client, url, fixed, allowed]);
  useClosing(scope);
  return <ScopeContext.Provider value={scope}>{props.children}</ScopeContext.Provider>;
}

function useClosing(scope: Scope): void {
  const closing = useRef(new Map<Scope, ReturnType<typeof setTimeout>>());
  useEffect(() => {
    const timers = closing.current;
    clearTimeout(timers.get(scope));
    timers.delete(scope);
    return () => {
      const close = () => {
        timers.delete(scope);
        scope.close();
      };
      timers.set(scope, setTimeout(close, CLOSE_AFTER_MS));
    };
  }, [scope]);
}

export function useScope(): Scope {
  const scope = useContext(ScopeContext);
  if (!scope) throw new Error('No <ToolstreamProvider> above this component: wrap the page in one.');
  return scope;
}

/** The client of the nearest provider. */
export const useToolstream = (): Client => useScope().client();
