import { once } from 'node:events';
import { CURSOR_START, parseCursors, partitionOfRun, type RunAddress, runSubjects } from '@toolstream/proto-events';
import { asError } from '@toolstream/service-kit';
import { z } from 'zod';
import { reaches, resolveCursor } from '../feeds/cursors.ts';
import type { Feed } from '../feeds/feed.ts';
import { HistoryHole, readHistory } from '../feeds/history.ts';
import { Subscription } from '../feeds/subscription.ts';
import { Refusal } from '../problems.ts';
import type { Services } from '../services.ts';
import { EventStream } from '../socket/stream.ts';
import { runOf, runParams } from './access.ts';
import { type AnyRoute, type Call, route } from './route.ts';

type EventsCall = Call<{ id: string }, { cursor?: string | undefined }>;

/** A run's events over plain HTTP: live as SSE, or the history so far as NDJSON. */
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
      query: z.object({ cursor: z.string().min(1).max(4096).optional() }),
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
        const accept = call.request.headers.accept ?? '*/*';
        if (/\bapplication\/(x-)?ndjson\b/i.test(accept)) return sendHistory(services, call, address);
        if (/\btext\/event-stream\b|\btext\/\*|\*\/\*/i.test(accept)) return sendStream(services, call, address);
        throw new Refusal('bad_request', 'Accept must allow text/event-stream or application/x-ndjson.');
      },
    }),
  ];
}

async function sendStream(services: Services, call: EventsCall, address: RunAddress): Promise<unknown> {
  const { reply, request, principal } = call;
  const { log, feeds, clients, config, metrics, logger } = services;
  if (clients.draining) throw new Refusal('unavailable', 'This edge is shutting down.', { retryAfterS: 1 });
  if (clients.size >= config.TOOLSTREAM_MAX_CONNECTIONS)
    throw new Refusal('busy', 'This edge has all the connections that it takes.', { retryAfterS: 5 });
  const cursor = resumeCursor(call);
  const lease = await feeds.run(address);
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
    onFault: (error) => logger.error({ error: asError(error), run: address.run }, 'an event stream failed'),
  });
  stream.attach(subscription);
  await subscription.start(cursor).catch((error: unknown) => {
    logger.warn({ error: asError(error), run: address.run }, 'an event stream could not begin');
    stream.terminate();
  });
  return reply;
}

/** An EventSource repeats its address when it reconnects; where it stands is then in the header. */
function resumeCursor({ request, query }: EventsCall): string | undefined {
  const header = request.headers['last-event-id'];
  const cursor = typeof header === 'string' && header !== '' ? header : query.cursor;
  if (cursor === undefined || cursor === CURSOR_START) return cursor;
  if (!parseCursors(cursor)) throw new Refusal('bad_cursor');
  return cursor;
}

async function isPastEnd({ log }: Services, feed: Feed, cursor: string): Promise<boolean> {
  const { end } = feed;
  if (!end || cursor === CURSOR_START) return false;
  const resolved = await resolveCursor(log, feed.partitions, cursor, feed.head);
  return resolved.ok && reaches(resolved.positions, end.positions);
}

async function sendHistory(services: Services, call: EventsCall, address: RunAddress): Promise<unknown> {
  const { log, logger } = services;
  const { reply } = call;
  const partitions = [partitionOfRun(address.run)!];
  const last = await log.lastOf(runSubjects(address), { leader: true });
  const until = [last?.seq ?? 0];
  const cursor = resumeCursor(call) ?? CURSOR_START;
  const resolved =
    cursor === CURSOR_START
      ? ({ ok: true, positions: [0] } as const)
      : await resolveCursor(log, partitions, cursor, until);
  if (!resolved.ok) throw new Refusal('bad_cursor', 'The cursor belongs to another event log.');

  const format = ([seq]: readonly number[]) => log.cursor(partitions[0]!, seq!);
  const page = (from: readonly number[]) =>
    readHistory(log, { from, until, partitions, subjects: () => runSubjects(address), app: undefined, format });
  let next = await page(resolved.positions);
  reply.hijack();
  const response = reply.raw;
  response.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'Content-Type': 'application/x-ndjson; charset=utf-8',
    'Cache-Control': 'no-store',
  });
  try {
    for (;;) {
      const lines = next.entries.flatMap((entry) => [entry.frame.payload, LINE_FEED]);
      if (response.destroyed) return reply;
      if (lines.length > 0 && !response.write(Buffer.concat(lines)))
        await Promise.race([once(response, 'drain'), once(response, 'close')]);
      if (next.complete) break;
      next = await page(next.until);
    }
    response.end();
  } catch (error) {
    // The answer has begun: cutting it off is the only way left to say that it is not whole.
    if (!(error instanceof HistoryHole))
      logger.error({ error: asError(error), run: address.run }, 'a history could not be read');
    response.destroy();
  }
  return reply;
}

const LINE_FEED = Buffer.from('\n');
