import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { ApiError } from '@toolstream/client';
import { ToolstreamProvider } from '@toolstream/react';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';
import { SignIn } from './SignIn.tsx';
import { StaleDialog } from './StaleDialog.tsx';
import type { Session, SessionState } from './session.ts';
import type { Identity } from './token.ts';

const SessionContext = createContext<Session | undefined>(undefined);

/** Below it somebody is signed in: there are a client, queries and an identity. */
export function SessionProvider({ session, children }: { readonly session: Session; readonly children: ReactNode }) {
  const state = useSyncExternalStore(session.subscribe, () => session.state);
  return (
    <SessionContext value={session}>
      {state.status === 'signed_out' ? (
        <SignIn session={session} />
      ) : (
        <SignedIn session={session} state={state}>
          {children}
        </SignedIn>
      )}
    </SessionContext>
  );
}

type Somebody = Exclude<SessionState, { status: 'signed_out' }>;

function SignedIn({ session, state, children }: { session: Session; state: Somebody; children: ReactNode }) {
  const { client } = state;
  const queries = useMemo(() => queriesOf(), []);
  useEffect(() => {
    // What one person or tenant saw is not another's.
    void client;
    return () => queries.clear();
  }, [client, queries]);
  useEffect(() => {
    if (state.status === 'signed_in') void queries.invalidateQueries();
  }, [state.status, queries]);
  useEffect(
    () =>
      client.onConnection(({ status, reason }) => {
        if (status !== 'open' && reason !== undefined && REFUSED.has(reason))
          session.reject(reason === 'token_expired' ? 'expired' : 'refused');
      }),
    [client, session],
  );
  return (
    <QueryClientProvider client={queries}>
      <ToolstreamProvider client={client}>{children}</ToolstreamProvider>
      {state.status === 'stale' && <StaleDialog session={session} why={state.why} identity={state.identity} />}
    </QueryClientProvider>
  );
}

const REFUSED = new Set(['unauthenticated', 'token_expired', 'token_revoked', 'revoked']);

/** The client itself repeats what is worth repeating. */
function queriesOf(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { retry: (failures, error) => !(error instanceof ApiError) && failures < 2, staleTime: 2_000 },
      mutations: { retry: false },
    },
  });
}

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('No <SessionProvider> above this component.');
  return session;
}

/** Who is signed in, and what the token allows: controls that it does not allow are disabled and say so. */
export function useIdentity(): Identity & { readonly can: (scope: Scope) => boolean } {
  const session = useSession();
  const state = useSyncExternalStore(session.subscribe, () => session.state);
  if (state.status === 'signed_out') throw new Error('Nobody is signed in.');
  const { identity } = state;
  return useMemo(
    () => ({
      ...identity,
      can: (scope: Scope) => identity.scopes.includes(scope) || identity.scopes.includes('admin'),
    }),
    [identity],
  );
}

export type Scope = 'runs:read' | 'runs:write' | 'runs:control' | 'admin';
