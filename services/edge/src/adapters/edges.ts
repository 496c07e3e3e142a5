import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import { inboxOf } from '@toolstream/event-log';
import {
  type DeliveryQuery,
  deliveryQuery,
  deliveryQueryReply,
  type EdgeDelivery,
  querySubject,
} from '@toolstream/proto-events';
import type { Logger } from '@toolstream/service-kit';

/** All edges, this one among them. They meet on NATS only: each answers the same question with what it counted itself. */
export interface Edges {
  /** The answers that came in time. This edge's own is always among them. */
  delivery(query: DeliveryQuery): Promise<{ answers: EdgeDelivery[]; silent: number }>;
  stop(): void;
}

export interface EdgesOptions {
  readonly nc: NatsConnection;
  readonly logger: Logger;
  /** This edge's own answer. */
  readonly own: (query: DeliveryQuery) => EdgeDelivery;
  readonly now?: () => number;
}

const SUBJECT = querySubject('delivery');
/** An answer is made of what is in memory: who has not answered by then is in trouble. */
const DEADLINE_MS = 500;
/** So long after the last answer nobody else is waited for, unless an edge that is known is missing. */
const QUIET_MS = 100;
const MAX_EDGES = 256;
/** An edge that does not answer is missed for so long. */
const REMEMBERED_MS = 60_000;

export function openEdges({ nc, logger, own, now = Date.now }: EdgesOptions): Edges {
  /** Edge → when it answered last. */
  const heard = new Map<string, number>();

  // No queue group: every edge is to answer.
  const answering: Subscription = nc.subscribe(SUBJECT, {
    callback: (error, message) => {
      if (error === null) answer(message, own, logger);
    },
  });

  return {
    async delivery(query) {
      const answers = new Map<string, EdgeDelivery>();
      const mine = own(query);
      const since = now() - REMEMBERED_MS;
      for (const [id, at] of heard) if (at < since) heard.delete(id);
      const missing = () => [...heard.keys()].filter((id) => !answers.has(id)).length;
      await gather(nc, query, (reply) => {
        if (reply.id !== mine.id && answers.size < MAX_EDGES) {
          answers.set(reply.id, reply);
          heard.set(reply.id, now());
        }
        return missing() > 0 ? 'more' : 'enough';
      });
      return { answers: [mine, ...answers.values()], silent: missing() };
    },
    stop: () => answering.unsubscribe(),
  };
}

function answer(message: Msg, own: EdgesOptions['own'], logger: Logger): void {
  try {
    const query = deliveryQuery.safeParse(message.json());
    if (query.success) message.respond(JSON.stringify(own(query.data)));
  } catch (error) {
    logger.debug({ error }, 'a question about delivery could not be answered');
  }
}

/**
 * Asks, and hands over answers until the deadline, or until it is quiet and nobody is missed. Never rejects: what is not
 * understood, and a server that is away, are edges that do not answer.
 */
function gather(
  nc: NatsConnection,
  query: DeliveryQuery,
  take: (reply: EdgeDelivery) => 'more' | 'enough',
): Promise<void> {
  return new Promise((resolve) => {
    let quiet: NodeJS.Timeout | undefined;
    let inbox: Subscription | undefined;
    const done = () => {
      clearTimeout(deadline);
      clearTimeout(quiet);
      inbox?.unsubscribe();
      resolve();
    };
    const deadline = setTimeout(done, DEADLINE_MS);
    try {
      inbox = nc.subscribe(inboxOf(nc), {
        callback: (error, message) => {
          if (error !== null) return;
          const parsed = understood(message);
          if (!parsed) return;
          clearTimeout(quiet);
          if (take(parsed) === 'enough') quiet = setTimeout(done, QUIET_MS);
        },
      });
      nc.publish(SUBJECT, JSON.stringify(query), { reply: inbox.getSubject() });
    } catch {
      done();
    }
  });
}

function understood(message: Msg): EdgeDelivery | undefined {
  try {
    return deliveryQueryReply.safeParse(message.json()).data;
  } catch {
    return undefined;
  }
}
