import type { FastifyInstance } from 'fastify';
import { CableSession } from '../cable/session.ts';
import { Refusal } from '../problems.ts';
import type { Services } from '../services.ts';
import { admitUpgrade, handedOver, placeOf } from './websocket.ts';

/**
 * `/cable`. Foreign origins and a missing subprotocol are refused before the upgrade, but who the caller is only after it:
 * a browser hides the status of a refused upgrade from its page, so a stock client would try for ever.
 */
export async function cableRoute(app: FastifyInstance, services: Services): Promise<void> {
  app.route({
    method: 'GET',
    url: '/cable',
    onRequest: async (request) => admitUpgrade(services, request, 'cable'),
    handler: () => {
      throw new Refusal('bad_request');
    },
    wsHandler: (socket, request) => {
      const { query, headers } = request;
      const place = placeOf(request);
      new CableSession(socket, { request: { query: query as Record<string, unknown>, headers }, place }, services);
      handedOver(request);
    },
  });
}
