import type { Client, ConnectionState } from '@toolstream/client';
import type { ConnectionView, Store } from './types.ts';

const IDLE: ConnectionView = { status: 'idle', transport: 'websocket', since: 0 };

/** The connection, which says nothing of any run: runs go on while nobody is connected. */
export function createConnectionStore(client: () => Client): Store<ConnectionView> & { close(): void } {
  const listeners = new Set<() => void>();
  let view = IDLE;
  let source: ConnectionState | undefined;
  let leave: (() => void) | undefined;
  const take = (state: ConnectionState) => {
    if (state === source) return;
    source = state;
    view = next(view, state, Date.now());
    for (const listener of [...listeners]) listener();
  };
  return {
    subscribe(listener) {
      const heard = () => listener();
      listeners.add(heard);
      if (!leave) {
        const connected = client();
        leave = connected.onConnection(take);
        take(connected.connection);
      }
      return () => {
        listeners.delete(heard);
        if (listeners.size > 0) return;
        leave?.();
        leave = undefined;
      };
    },
    getSnapshot: () => view,
    getServerSnapshot: () => IDLE,
    close() {
      leave?.();
      leave = undefined;
    },
  };
}

function next(before: ConnectionView, state: ConnectionState, now: number): ConnectionView {
  const since = before.status === state.status && before.since > 0 ? before.since : now;
  const interruption = interruptionAfter(before, state, now);
  return { ...state, since, ...(interruption ? { interruption } : {}) };
}

function interruptionAfter(
  { status, interruption }: ConnectionView,
  { status: is, reason }: ConnectionState,
  now: number,
): ConnectionView['interruption'] {
  if (status === 'open' && (is === 'waiting' || is === 'connecting'))
    return { from: now, ...(reason === undefined ? {} : { reason }) };
  if (is === 'open' && interruption && interruption.to === undefined) return { ...interruption, to: now };
  return interruption;
}
