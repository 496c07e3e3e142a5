import { CURSOR_START } from '@toolstream/proto-events';
import { asError } from '@toolstream/service-kit';
import { z } from 'zod';
import { requireApp } from '../auth/principal.ts';
import { reaches, resolveCursor } from '../feeds/cursors.ts';
import type { Feed } from '../feeds/feed.ts';
import type { Lease } from '../feeds/feeds.ts';
import { Subscription } from '../feeds/subscription.ts';
import { topicKey } from '../feeds/topic.ts';
import { Refusal } from '../problems.ts';
import type { Services } from '../services.ts';
import { EventStream } from '../socket/stream.ts';
import { acceptsEventStream, admitStream, appParams, runOf, runParams } from './access.ts';
import { type EventsCall, resumeCursor, sendAppHistory, sendRunHistory } from './event-history.ts';
import { type AnyRoute, route } from './route.ts';

const query = z.object({ cursor: z.string().min(1).max(4096).optional() });

/** Events over plain HTTP, of a run or of an app's runs: live as SSE, or what there is so far as NDJSON. */
export function eventRoutes(services: Services): AnyRoute[] {
  return [
    route({
      method: 'GET',
      url: '/v1/runs/:id/events',
      tag: 'runs',
      summary: "A run's events: live (text/event-stream) or so far (application/x-ndjson)",
      scope: 'runs:read',
      tokenInQuery: true,
      lasting: true,
      params: runParams,
      query,
      answers: {
        200: {
          description:
            'SSE: each `data` is a frame (`snapshot`, `event`, `caught_up`, `end`), each `id` its cursor. `Last-Event-ID` or `cursor` resumes; `start` replays; none begins with a snapshot',
          contentType: 'text/event-stream',
        },
        204: { description: 'The run has ended and the cursor is at its end: nothing will follow' },
      },
      handle: async (call) => {
        const address = await runOf(services, call.principal, call.params.id);
        if (wanted(call) === 'history') return sendRunHistory(services, call, address);
        return sendStream(services, call, () => services.feeds.run(address));
      },
    }),

    route({
      method: 'GET',
      url: '/v1/apps/:app/events',
      tag: 'runs',
      summary: "The events of all of an app's runs: live (text/event-stream) or so far (application/x-ndjson)",
      scope: 'runs:read',
      tokenInQuery: true,
      lasting: true,
      params: appParams,
      query,
      answers: {
        200: {
          description:
            'SSE: as for a run, with the frames of an app subscription. NDJSON: the `event` and `end` frames behind the cursor, one a line; without a cursor a `snapshot` frame alone',
          contentType: 'text/event-stream',
        },
      },
      handle: async (call) => {
        const { app } = call.params;
        requireApp(call.principal, app);
        if (wanted(call) === 'history') return sendAppHistory(services, call, app);
        return sendStream(services, call, () => services.feeds.app(call.principal.tenant, app));
      },
    }),
  ];
}

function wanted({ request }: EventsCall): 'history' | 'stream' {
  if (/\bapplication\/(x-)?ndjson\b/i.test(request.headers.accept ?? '')) return 'history';
  if (acceptsEventStream(request)) return 'stream';
  throw new Refusal('bad_request', 'Accept must allow text/event-stream or application/x-ndjson.');
}

async function sendStream(
  services: Services,
  call: EventsCall,
  acquire: () => Promise<Lease | undefined>,
): Promise<unknown> {
  const { reply, request, principal } = call;
  const { log, config, metrics, logger } = services;
  const cursor = resumeCursor(call);
  admitStream(services, call, 'sse');
  const lease = await acquire();
  if (!lease) throw new Refusal('not_found', 'There is no such run.');
  try {
    if (cursor !== undefined && (await isPastEnd(services, lease.feed, cursor))) {
      lease.release();
      return await reply.code(204).send();
    }
    if (request.raw.destroyed) throw new Refusal('bad_request', 'The client is gone.');
  } catch (error) {
    lease.release();
    throw error;
  }

  reply.hijack();
  const response = reply.raw;
  response.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  const stream = new EventStream(response, services, principal, () => lease.release());
  const subscription = new Subscription({
    feed: lease.feed,
    log,
    outlet: stream.queue,
    catchUpBytes: config.TOOLSTREAM_CLIENT_BUFFER_BYTES,
    onOver: () => stream.end(),
    onSnapshot: (reason) => metrics.snapshot(reason),
    onSlow: (step) => metrics.slow(step),
    onFault: (error) =>
      logger.error({ error: asError(error), of: topicKey(lease.feed.topic) }, 'an event stream failed'),
  });
  stream.attach(subscription);
  await subscription.start(cursor).catch((error: unknown) => {
    logger.warn({ error: asError(error), of: topicKey(lease.feed.topic) }, 'an event stream could not begin');
    stream.terminate();
  });
  return reply;
}

async function isPastEnd({ log }: Services, feed: Feed, cursor: string): Promise<boolean> {
  await feed.current();
  const { end } = feed;
  if (!end || cursor === CURSOR_START) return false;
  const resolved = await resolveCursor(log, feed.partitions, cursor, feed.head);
  return resolved.ok && reaches(resolved.positions, end.positions);
}
