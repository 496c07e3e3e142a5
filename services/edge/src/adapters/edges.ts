import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
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
const ASK = { strategy: 'stall', maxWait: 500, stall: 150 } as const;
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
      for await (const reply of repliesTo(nc, query)) {
        if (reply.id === mine.id || answers.size === MAX_EDGES) continue;
        answers.set(reply.id, reply);
        heard.set(reply.id, now());
      }
      const silent = [...heard.keys()].filter((id) => !answers.has(id)).length;
      return { answers: [mine, ...answers.values()], silent };
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

/** Never throws: what is not understood, and a server that is away, are edges that do not answer. */
async function* repliesTo(nc: NatsConnection, query: DeliveryQuery): AsyncGenerator<EdgeDelivery> {
  try {
    for await (const message of await nc.requestMany(SUBJECT, JSON.stringify(query), { ...ASK })) {
      const reply = understood(message);
      if (reply) yield reply;
    }
  } catch {
    // Whoever had answered by then has been counted.
  }
}

function understood(message: Msg): EdgeDelivery | undefined {
  try {
    return deliveryQueryReply.safeParse(message.json()).data;
  } catch {
    return undefined;
  }
}
