import type { ServerFrame } from '@toolstream/proto-events';
import { asError, type Logger } from '@toolstream/service-kit';
import type { Principal } from '../auth/principal.ts';
import type { Outlet } from '../feeds/subscription.ts';
import { asRefusal, type Refusal } from '../problems.ts';

/** What an answer or an error is about. */
export interface About {
  readonly id?: string;
  readonly run?: string;
  readonly app?: string;
  readonly message_id?: string;
}

/** The one at the other end of a connection, as its subscriptions and commands see it. */
export interface Peer {
  readonly session: string;
  /** Of the newest token. There is one before anything is subscribed or commanded. */
  readonly principal: Principal;
  readonly outlet: Outlet;
  readonly closed: boolean;
  send(frame: ServerFrame): void;
  error(refusal: Refusal, about?: About): void;
}

/** What was thrown, as a refusal; a fault of ours is logged. */
export function refusalFor(error: unknown, logger: Logger, about: object): Refusal {
  const refusal = asRefusal(error);
  if (refusal.code === 'internal') logger.error({ error: asError(error), ...about }, 'a frame failed');
  return refusal;
}
