import type { NatsConnection } from '@nats-io/nats-core';
import { liveEvent } from './direct-get.ts';
import type { StoredEvent } from './stored-event.ts';

export interface Tail {
  /** The server has the subscription: what is stored from now on is sent here. */
  readonly ready: Promise<void>;
  stop(): void;
}

/**
 * The raw live tail: core NATS, at most once, nothing checked. Events can be lost without a trace; use `follow` where
 * that matters. `onError` is told when the server refuses the subscription.
 */
export function tail(
  nc: NatsConnection,
  liveSubject: string,
  onEvent: (event: StoredEvent) => void,
  onError: (error: Error) => void = () => {},
): Tail {
  const subscription = nc.subscribe(liveSubject, {
    callback: (error, message) => {
      if (error) return onError(error);
      const event = liveEvent(message);
      if (event) onEvent(event);
    },
  });
  const ready = nc.flush();
  // A connection lost right now rejects the flush; the subscription itself is made again by the client.
  ready.catch(() => {});
  return { ready, stop: () => subscription.unsubscribe() };
}
