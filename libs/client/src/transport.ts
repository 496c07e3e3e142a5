import type { ServerFrame } from '@toolstream/proto-events';
import type { ApiError } from './errors.ts';
import type { SubscriptionFrame } from './track.ts';

/** In the order of preference. */
export const TRANSPORTS = ['websocket', 'sse', 'polling'] as const;
export type TransportName = (typeof TRANSPORTS)[number];
export type RequestTransportName = Exclude<TransportName, 'websocket'>;

export type Target = { readonly run: string } | { readonly app: string } | { readonly message_id: string };

export const keyOf = ({ run, app, message_id }: { [name in 'run' | 'app' | 'message_id']?: string | undefined }) =>
  message_id !== undefined ? `message:${message_id}` : app !== undefined ? `app:${app}` : `run:${run}`;

export type MessageFrame = Extract<ServerFrame, { type: 'waiting' | 'attached' }>;

/** A subscription, as whatever carries its frames sees it. Where it goes on is its own word: one rule on every transport. */
export interface Subscriber {
  readonly key: string;
  readonly target: Target;
  /** The cursor behind which it goes on; `undefined`: with a snapshot. */
  readonly cursor: string | undefined;
  /** The same, once anything was applied. */
  readonly position: string | undefined;
  /** The end of its run, if its state is there. */
  readonly end: SubscriptionFrame | undefined;
  /** Frames of another connection follow, from the cursor that this answers on. */
  resume(): string | undefined;
  /** It was asked for on a connection that does not say by itself when nothing comes of it. */
  asked(): void;
  receive(frame: SubscriptionFrame | MessageFrame): void;
  refused(error: ApiError): void;
  /** Nothing carries it for now: it has nobody to ask. */
  disconnected(): void;
}

/**
 * A way of frames from the service to its subscribers. All transports carry the same frames, so one can take over from
 * another at any cursor.
 */
export interface Transport {
  readonly name: TransportName;
  /** From where the subscriber says; one that is carried already begins anew there. */
  subscribe(subscriber: Subscriber): void;
  /** From a cursor on, because frames did not join up. */
  resubscribe(subscriber: Subscriber, cursor: string | undefined): void;
  unsubscribe(subscriber: Subscriber): void;
  /** The machine may have slept, or the network changed: see at once whether what is open still lives. */
  check(): void;
  close(): void;
}

/** How one subscription fares on a transport that makes a request for each. */
export interface Standing {
  readonly status: 'connecting' | 'open' | 'waiting';
  readonly reason?: string;
  readonly retry_at?: number;
}
