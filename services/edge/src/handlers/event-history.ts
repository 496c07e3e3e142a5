import { once } from 'node:events';
import { CURSOR_START, parseCursors, type RunAddress } from '@toolstream/proto-events';
import { asError } from '@toolstream/service-kit';
import { type Positions, resolveCursor } from '../feeds/cursors.ts';
import type { Entry } from '../feeds/entry.ts';
import type { Frame } from '../feeds/frame.ts';
import { HistoryHole, readHistory } from '../feeds/history.ts';
import { type Topic, topicKey, topicPartitions, topicSubjects } from '../feeds/topic.ts';
import { Refusal } from '../problems.ts';
import type { Services } from '../services.ts';
import { whenGone } from '../socket/gone.ts';
import type { Call } from './route.ts';

export type EventsCall = Call<unknown, { cursor?: string | undefined }>;

/** An EventSource repeats its address when it reconnects; where it stands is then in the header. */
export function resumeCursor({ request, query }: EventsCall): string | undefined {
  const header = request.headers['last-event-id'];
  const cursor = typeof header === 'string' && header !== '' ? header : query.cursor;
  if (cursor === undefined || cursor === CURSOR_START) return cursor;
  if (!parseCursors(cursor)) throw new Refusal('bad_cursor');
  return cursor;
}

/** A run's history so far, an `event` frame a line. */
export function sendRunHistory(services: Services, call: EventsCall, run: RunAddress): Promise<unknown> {
  const cursor = resumeCursor(call) ?? CURSOR_START;
  return sendHistory(services, call, { kind: 'run', run }, cursor, (entry) => [entry.frame]);
}

/**
 * What happened in an app behind a cursor, with the ends of its runs. Without a cursor a snapshot: an app's whole history
 * is nothing that anybody begins with.
 */
export async function sendAppHistory(services: Services, call: EventsCall, app: string): Promise<unknown> {
  const { tenant } = call.principal;
  const cursor = resumeCursor(call);
  if (cursor !== undefined) {
    const framesOf = (entry: Entry) => (entry.end ? [entry.frame, entry.end] : [entry.frame]);
    return sendHistory(services, call, { kind: 'app', tenant, app }, cursor, framesOf);
  }
  const lease = await services.feeds.app(tenant, app);
  try {
    const { feed } = lease;
    const { frame } = await feed.snapshots.at(feed.head, 'cold');
    services.metrics.snapshot('cold');
    return await call.reply.headers(HEADERS).send(Buffer.concat(lines([frame])));
  } finally {
    lease.release();
  }
}

const HEADERS = { 'Content-Type': 'application/x-ndjson; charset=utf-8', 'Cache-Control': 'no-store' };
const LINE_FEED = Buffer.from('\n');
const lines = (frames: readonly Frame[]): Buffer[] => frames.flatMap((frame) => [frame.payload, LINE_FEED]);

async function sendHistory(
  services: Services,
  { reply }: EventsCall,
  topic: Topic,
  cursor: string,
  framesOf: (entry: Entry) => Frame[],
): Promise<unknown> {
  const { log, logger } = services;
  const partitions = topicPartitions(topic, log.partitions);
  const subjects = (partition: number) => topicSubjects(topic, partition);
  const lasts = await Promise.all(partitions.map((partition) => log.lastOf(subjects(partition), { leader: true })));
  const until = lasts.map((last) => last?.seq ?? 0);
  const resolved =
    cursor === CURSOR_START
      ? ({ ok: true, positions: partitions.map(() => 0) } as const)
      : await resolveCursor(log, partitions, cursor, until);
  if (!resolved.ok) throw new Refusal('bad_cursor', 'The cursor belongs to another event log.');

  const format = (positions: Positions) =>
    partitions.map((partition, slot) => log.cursor(partition, positions[slot]!)).join(',');
  const page = (from: Positions) => readHistory(log, { topic, from, until, partitions, format });
  let next = await page(resolved.positions).catch((error: unknown) => {
    if (!(error instanceof HistoryHole)) throw error;
    throw new Refusal('bad_cursor', 'The log no longer holds everything behind this cursor: begin with a snapshot.');
  });
  reply.hijack();
  const response = reply.raw;
  const client = Promise.withResolvers<void>();
  let gone = false;
  whenGone(response, () => {
    gone = true;
    client.resolve();
  });
  response.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...HEADERS });
  try {
    for (;;) {
      const bytes = lines(next.entries.flatMap(framesOf));
      if (gone) return reply;
      if (bytes.length > 0 && !response.write(Buffer.concat(bytes)))
        await Promise.race([once(response, 'drain'), client.promise]);
      if (next.complete) break;
      next = await page(next.until);
    }
    response.end();
  } catch (error) {
    // The answer has begun: cutting it off is the only way left to say that it is not whole.
    if (!(error instanceof HistoryHole))
      logger.error({ error: asError(error), of: topicKey(topic) }, 'a history could not be read');
    response.destroy();
  }
  return reply;
}
