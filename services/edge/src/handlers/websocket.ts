import fastifyWebsocket, { type WebsocketPluginOptions } from '@fastify/websocket';
import { SUBPROTOCOL } from '@toolstream/proto-events';
import type { FastifyInstance } from 'fastify';
import { Refusal } from '../problems.ts';
import type { Services } from '../services.ts';
import { Session } from '../socket/session.ts';

/** `closeTimeout`: how long a client may take to answer the close frame; known to `ws`, not yet to its types. */
const SERVER_OPTIONS: NonNullable<WebsocketPluginOptions['options']> & { closeTimeout: number } = {
  perMessageDeflate: false,
  maxPayload: 64 * 1024,
  clientTracking: false,
  closeTimeout: 2_000,
  handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
};

/**
 * `/ws`. What can be refused is refused before the upgrade, as plain HTTP: foreign origins, a missing subprotocol, and
 * everybody while the edge drains or is full.
 */
export async function websocketRoute(app: FastifyInstance, services: Services): Promise<void> {
  const { clients, config, allowsOrigin, logger } = services;
  await app.register(fastifyWebsocket, {
    options: SERVER_OPTIONS,
    // Sessions log what matters; a connection that breaks is everyday life.
    errorHandler: (error, socket) => {
      logger.debug({ error }, 'a connection broke');
      socket.terminate();
    },
    // Clients are sent away by the drain, one by one and with a reason.
    preClose: (done) => done(),
  });

  app.route({
    method: 'GET',
    url: '/ws',
    onRequest: async (request) => {
      if (!request.ws)
        throw new Refusal('bad_request', `This is a WebSocket address: connect with the subprotocol ${SUBPROTOCOL}.`);
      const { origin } = request.headers;
      if (origin !== undefined && !allowsOrigin(origin))
        throw new Refusal('forbidden', 'Pages of this origin may not connect.');
      const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim());
      if (!offered?.includes(SUBPROTOCOL)) throw new Refusal('bad_request', `Offer the subprotocol ${SUBPROTOCOL}.`);
      if (clients.draining) throw new Refusal('unavailable', 'This edge is shutting down.', { retryAfterS: 1 });
      if (clients.size >= config.TOOLSTREAM_MAX_CONNECTIONS) {
        throw new Refusal('busy', 'This edge has all the connections that it takes.', { retryAfterS: 5 });
      }
    },
    handler: () => {
      throw new Refusal('bad_request');
    },
    wsHandler: (socket, request) => {
      const { ticket } = request.query as { ticket?: unknown };
      new Session(socket, typeof ticket === 'string' ? ticket : undefined, services);
    },
  });
}
