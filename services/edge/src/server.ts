import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { newUlid, redact } from '@toolstream/service-kit';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { aguiRoutes } from './handlers/agui.ts';
import { artifactRoutes } from './handlers/artifacts.ts';
import { cableRoute } from './handlers/cable.ts';
import { consoleRoutes } from './handlers/console.ts';
import { controlRoutes } from './handlers/control.ts';
import { dlqRoutes } from './handlers/dlq.ts';
import { docsRoutes } from './handlers/docs.ts';
import { eventRoutes } from './handlers/events.ts';
import { fileRoutes } from './handlers/files.ts';
import { healthRoutes } from './handlers/health.ts';
import { openApiRoute } from './handlers/openapi.ts';
import { revocationRoutes } from './handlers/revocations.ts';
import { type AnyRoute, registerRoute } from './handlers/route.ts';
import { runRoutes } from './handlers/runs.ts';
import { statsRoutes } from './handlers/stats.ts';
import { ticketRoutes } from './handlers/tickets.ts';
import { toolRoutes } from './handlers/tools.ts';
import { uiStreamRoutes } from './handlers/ui-stream.ts';
import { webSockets, websocketRoute } from './handlers/websocket.ts';
import { asRefusal, lastAnswer, PROBLEM_JSON, problemOf, Refusal, retryAfterOf } from './problems.ts';
import type { Services } from './services.ts';
import { addressOf } from './socket/subprotocols.ts';

export const BODY_LIMIT_BYTES = 8 * 1024 * 1024;

export function edgeRoutes(services: Services): AnyRoute[] {
  const routes = [
    ...runRoutes(services),
    ...eventRoutes(services),
    ...aguiRoutes(services),
    ...uiStreamRoutes(services),
    ...controlRoutes(services),
    ...toolRoutes(services),
    ...statsRoutes(services),
    ...fileRoutes(services),
    ...artifactRoutes(services),
    ...ticketRoutes(services),
    ...revocationRoutes(services),
    ...dlqRoutes(services),
    ...healthRoutes(services),
  ];
  return [...routes, openApiRoute(routes)];
}

/** The public door, built without listening. */
export async function httpServer(services: Services): Promise<FastifyInstance> {
  const { config, logger, metrics } = services;
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    // To receive a request; how long the answer lasts is another matter.
    requestTimeout: 60_000,
    genReqId: newUlid,
    trustProxy: config.TOOLSTREAM_TRUST_PROXY.length > 0 && config.TOOLSTREAM_TRUST_PROXY,
    // Idle connections go at once when the server closes; busy ones have until the service's own deadline.
    forceCloseConnections: 'idle',
    // A drain keeps answering what still arrives on open connections.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 4096, ignoreTrailingSlash: true },
    frameworkErrors: (error, request, reply) => {
      void answerError(services, error, request, reply);
    },
    clientErrorHandler: answerMalformed,
    http: {
      // Node's own refusal would be no problem document.
      requireHostHeader: false,
      // Whoever offers another protocol, or this one elsewhere, is answered as if it had not: nothing else ends such a connection.
      shouldUpgradeCallback: ({ method, url, headers }) =>
        method === 'GET' && addressOf(url) !== undefined && headers.upgrade?.toLowerCase() === 'websocket',
    },
  });
  app.removeAllContentTypeParsers();
  acceptJson(app);
  // An expectation that nobody here knows is ignored; node's own answer would be no problem document.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));

  app.addHook('onRequest', async (request, reply) => {
    reply.header('X-Request-Id', request.id);
    reply.header('X-Content-Type-Options', 'nosniff');
    // Callers that keep connections open are to open the next one elsewhere.
    if (services.clients.draining) reply.header('Connection', 'close');
    allowOrigin(services, request, reply);
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1')
      throw new Refusal('bad_request', 'The header Host is missing.');
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    metrics.request(route, reply.statusCode, reply.elapsedTime / 1000);
    logger.debug(
      {
        method: request.method,
        url: redact(request.url),
        status: reply.statusCode,
        ms: reply.elapsedTime,
        request: request.id,
      },
      'answered',
    );
  });
  app.setErrorHandler((error, request, reply) => answerError(services, error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    if (request.method === 'OPTIONS' && isPreflight(request)) return reply.code(204).send();
    return answerError(services, new Refusal('not_found', 'There is no such address.'), request, reply);
  });

  await webSockets(app, services);
  await websocketRoute(app, services);
  await cableRoute(app, services);
  await docsRoutes(app);
  await consoleRoutes(app, config.TOOLSTREAM_CONSOLE_DIR);
  for (const definition of edgeRoutes(services)) registerRoute(app, definition, services.tokens);
  return app;
}

/** JSON or nothing at all: an empty body is an empty object, so that `POST …/pause` needs none. */
function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'ignore');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    return parse(request, body as string, done);
  });
  app.addContentTypeParser('*', (_request, payload, done) => {
    let bytes = 0;
    payload.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > 0) {
        payload.removeAllListeners('data');
        payload.resume();
        done(new Refusal('unsupported_media_type'), undefined);
      }
    });
    payload.on('end', () => {
      if (bytes === 0) done(null, undefined);
    });
    payload.on('error', (error) => done(error, undefined));
  });
}

/** What is no HTTP: there is no request that could be answered, only a connection to be ended. */
function answerMalformed(_error: Error, socket: Socket & { readonly _httpMessage?: ServerResponse | null }): void {
  // In the middle of an answer this would become part of it.
  if (!socket.writable || socket._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  socket.end(lastAnswer(new Refusal('bad_request', 'The request is malformed.')), () => socket.destroy());
}

async function answerError(
  { logger }: Services,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const refusal = refusalFor(error);
  if (refusal.code === 'internal') {
    logger.error({ error, method: request.method, url: redact(request.url), request: request.id }, 'a request failed');
  }
  const retryAfter = retryAfterOf(refusal);
  if (retryAfter !== undefined) reply.header('Retry-After', String(retryAfter));
  if (problemOf(refusal).status === 401) {
    const why = refusal.code === 'unauthenticated' ? '' : ', error="invalid_token"';
    reply.header('WWW-Authenticate', `Bearer realm="toolstream"${why}`);
  }
  if (refusal.code === 'body_too_large') {
    reply.removeHeader('Connection');
    discardRest(request.raw);
  }
  const problem = problemOf(refusal, request.id);
  return reply.code(problem.status).header('Content-Type', PROBLEM_JSON).send(JSON.stringify(problem));
}

const DISCARD_BYTES = 64 * 1024 * 1024;
const DISCARD_MS = 10_000;

/**
 * A client that still sends reads no answer before it is done, and loses it when the connection is closed under it: the
 * rest of a body that is refused is read and thrown away, within bounds.
 */
function discardRest(request: IncomingMessage): void {
  const cut = () => request.destroy();
  const timer = setTimeout(cut, DISCARD_MS).unref();
  let left = DISCARD_BYTES;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) cut();
  });
  request.on('close', () => clearTimeout(timer));
  request.on('error', () => {});
  request.resume();
}

/** Fastify's own refusals, in our codes. */
function refusalFor(error: unknown): Refusal {
  const { code, statusCode } = error as Partial<FastifyError>;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Refusal('body_too_large');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Refusal('unsupported_media_type');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_ASYNC_CONSTRAINT':
      return new Refusal('bad_request', 'The request is malformed.');
    case 'FST_ERR_MAX_PARAM_LENGTH':
    case 'FST_ERR_NOT_FOUND':
      return new Refusal('not_found');
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new Refusal('bad_json');
    default:
      if (error instanceof SyntaxError && statusCode === 400)
        return new Refusal('bad_json', `The body is not JSON: ${error.message}`);
      // Whatever else it holds against the request.
      if (code?.startsWith('FST_') && statusCode !== undefined && statusCode >= 400 && statusCode < 500)
        return new Refusal('bad_request', (error as Error).message);
      return asRefusal(error);
  }
}

const isPreflight = (request: FastifyRequest): boolean =>
  request.headers.origin !== undefined && request.headers['access-control-request-method'] !== undefined;

/** CORS for exactly the origins that may also open sockets. No cookies are used, so no credentials are allowed. */
function allowOrigin({ allowsOrigin }: Services, request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  reply.header('Vary', 'Origin');
  if (origin === undefined || !allowsOrigin(origin)) return;
  reply.header('Access-Control-Allow-Origin', origin);
  reply.header('Access-Control-Expose-Headers', 'Idempotent-Replayed, Location, Retry-After, X-Request-Id, ETag');
  if (request.method !== 'OPTIONS') return;
  reply.header('Access-Control-Allow-Methods', 'GET, POST, OPTIONS');
  reply.header(
    'Access-Control-Allow-Headers',
    'Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Traceparent',
  );
  reply.header('Access-Control-Max-Age', '600');
}
