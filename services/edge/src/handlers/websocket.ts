import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import fastifyWebsocket, { type WebsocketPluginOptions } from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { lastAnswer, Refusal } from '../problems.ts';
import type { Services } from '../services.ts';
import type { Place, Transport } from '../socket/admission.ts';
import { Session } from '../socket/session.ts';
import { addressOf, chooseSubprotocol, handleProtocols } from '../socket/subprotocols.ts';

/** `closeTimeout`: how long a client may take to answer the close frame; known to `ws`, not yet to its types. */
const SERVER_OPTIONS: NonNullable<WebsocketPluginOptions['options']> & { closeTimeout: number } = {
  perMessageDeflate: false,
  maxPayload: 64 * 1024,
  clientTracking: false,
  closeTimeout: 2_000,
  handleProtocols,
};

/** WebSockets for every address: registered once, before the routes. */
export async function webSockets(app: FastifyInstance, { logger }: Services): Promise<void> {
  const broke = (error: Error, socket: WebSocket): void => {
    logger.debug({ error }, 'a connection broke');
    socket.terminate();
  };
  await app.register(fastifyWebsocket, {
    options: SERVER_OPTIONS,
    // Sessions log what matters; a connection that breaks is everyday life.
    errorHandler: broke,
    // Clients are sent away by the drain, one by one and with a reason.
    preClose: (done) => done(),
  });
  forgetUpgrades(app, broke);
  app.websocketServer.on('wsClientError', (error, socket) => {
    const answer = lastAnswer(new Refusal('bad_request', `${error.message}.`), ['Sec-WebSocket-Version: 13, 8']);
    socket.end(answer, () => socket.destroy());
  });
}

/**
 * A connection may stay for days, with nothing happening on it: request and response of its upgrade, several kilobytes, must
 * not stay as long. They are held by the response that the connection was assigned to, and by the plugin's listener.
 */
function forgetUpgrades(app: FastifyInstance, broke: (error: Error, socket: WebSocket) => void): void {
  const responses = new WeakMap<IncomingMessage, ServerResponse>();
  app.addHook('onRequest', async (request, reply) => {
    if (request.ws) responses.set(request.raw, reply.raw);
  });
  function onError(this: WebSocket, error: Error): void {
    broke(error, this);
  }
  // Before `ws` takes the connection over: fewer listeners at a time, less memory for ever.
  app.websocketServer.on('headers', (_headers, request) => responses.get(request)?.detachSocket(request.socket));
  app.websocketServer.on('connection', (socket) => {
    // Once the plugin has added its own.
    queueMicrotask(() => {
      const before = socket.listeners('error');
      // In this order: an emitter that loses the only listener of a kind takes more memory from then on.
      socket.on('error', onError);
      for (const listener of before) socket.off('error', listener as () => void);
    });
  });
}

export async function websocketRoute(app: FastifyInstance, services: Services): Promise<void> {
  app.route({
    method: 'GET',
    url: '/ws',
    onRequest: async (request) => admitUpgrade(services, request, 'ws'),
    handler: () => {
      throw new Refusal('bad_request');
    },
    wsHandler: (socket, request) => {
      const { ticket } = request.query as { ticket?: unknown };
      const place = placeOf(request);
      new Session(socket, { ticket: typeof ticket === 'string' ? ticket : undefined, place }, services);
      handedOver(request);
    },
  });
}

const places = new WeakMap<FastifyRequest, Place>();
const ofConnections = new WeakMap<Socket, Place>();

/** One function for all connections. */
function releasePlace(this: Socket): void {
  ofConnections.get(this)?.release();
}

/**
 * What can be refused is refused before the upgrade, as plain HTTP: foreign origins, a missing subprotocol, and everybody
 * while the edge drains or has no place. A place that is taken here is given back when the TCP connection closes, whatever
 * becomes of the upgrade.
 */
export function admitUpgrade(services: Services, request: FastifyRequest, transport: Transport): void {
  const { admission, allowsOrigin } = services;
  const address = addressOf(request.url);
  const names = address?.subprotocols.join(' or ') ?? '';
  if (!request.ws)
    throw new Refusal('bad_request', `This is a WebSocket address: connect with the subprotocol ${names}.`);
  const { origin } = request.headers;
  if (origin !== undefined && !allowsOrigin(origin, request.host))
    admission.refuse(transport, 'origin', new Refusal('forbidden', 'Pages of this origin may not connect.'));
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  if (address?.required && chooseSubprotocol(offered, address) === false)
    admission.refuse(transport, 'subprotocol', new Refusal('bad_request', `Offer the subprotocol ${names}.`));
  const { socket } = request.raw;
  const place = admission.admit(transport, request.ip);
  if (socket.closed) place.release();
  else {
    const before = ofConnections.get(socket);
    if (before) before.release();
    else socket.on('close', releasePlace);
    ofConnections.set(socket, place);
  }
  places.set(request, place);
}

/** There is a session now, which gives the place back when it is gone: the connection itself no longer does. */
export function handedOver(request: FastifyRequest): void {
  const { socket } = request.raw;
  socket.off('close', releasePlace);
  ofConnections.delete(socket);
}

/** The place that {@link admitUpgrade} took. */
export function placeOf(request: FastifyRequest): Place {
  const place = places.get(request);
  if (!place) throw new Error('the route of a WebSocket does not admit its clients');
  return place;
}
