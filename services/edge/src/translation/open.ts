import type { OutgoingHttpHeaders } from 'node:http';
import type { RunAddress } from '@toolstream/proto-events';
import { asError } from '@toolstream/service-kit';
import { Subscription } from '../feeds/subscription.ts';
import type { Call } from '../handlers/route.ts';
import { Refusal } from '../problems.ts';
import { resolved } from '../requests/resolved.ts';
import type { Services } from '../services.ts';
import { EventStream } from '../socket/stream.ts';
import { dataLine, TranslatingOutlet } from './outlet.ts';
import type { Translator } from './translator.ts';

/** The first bytes: proxies and clients see at once that the stream is open. */
const OPENING = ': toolstream\n\n';
/** A client of either protocol takes one message of this size; what is larger stays a reference. */
const VALUE_BYTES = 8 * 1024 * 1024;

const SSE_HEADERS: OutgoingHttpHeaders = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-store',
  'X-Accel-Buffering': 'no',
};

/**
 * Answers with a run, from its present state on, in the words of a translator. Delivery is the one that every client gets:
 * the same feed, the same bounded queue, the same heartbeats and goodbyes. The caller has been admitted.
 */
export async function openTranslation(
  services: Services,
  { reply, request, principal }: Pick<Call, 'reply' | 'request' | 'principal'>,
  address: RunAddress,
  translator: Translator,
  headers: OutgoingHttpHeaders = {},
): Promise<unknown> {
  const { artifacts, config, feeds, log, logger, metrics } = services;
  const { run, tenant } = address;
  const lease = await feeds.run(address);
  if (!lease) throw new Refusal('not_found', 'There is no such run.');
  if (reply.raw.closed || request.raw.socket.destroyed) {
    lease.release();
    throw new Refusal('bad_request', 'The client is gone.');
  }
  begin(reply, headers);
  const stream = new EventStream(reply.raw, services, principal, () => lease.release(), {
    opening: OPENING,
    farewell: (why) => outlet.farewell(why),
  });
  const failed = (error: unknown) => logger.error({ error: asError(error), run }, 'a translated stream failed');
  const outlet = new TranslatingOutlet({
    translator,
    queue: stream.queue,
    resolve: (value) => resolved(artifacts, value, { tenant, maxBytes: VALUE_BYTES }),
    onRoom: () => subscription.drained(),
    onOver: () => {
      subscription.close();
      stream.end();
    },
    onFault: failed,
  });
  const subscription = new Subscription({
    feed: lease.feed,
    log,
    outlet,
    catchUpBytes: config.TOOLSTREAM_CLIENT_BUFFER_BYTES,
    // The outlet has been told the end as well, and ends the stream when it has said it.
    onOver: () => {},
    onSnapshot: (reason) => metrics.snapshot(reason),
    onSlow: (step) => metrics.slow(step),
    onFault: failed,
  });
  stream.attach({
    drained: () => outlet.drained(),
    close: () => {
      outlet.close();
      subscription.close();
    },
  });
  await subscription.start(undefined).catch((error: unknown) => {
    failed(error);
    stream.terminate();
  });
  return reply;
}

/** Answers with a stream that is complete: nothing of it depends on a run. */
export function sendTranslated({ reply }: Pick<Call, 'reply'>, lines: readonly (object | string)[]): unknown {
  begin(reply, {});
  reply.raw.end(Buffer.concat([Buffer.from(OPENING), ...lines.map(dataLine)]));
  return reply;
}

function begin(reply: Call['reply'], headers: OutgoingHttpHeaders): void {
  reply.hijack();
  reply.raw.writeHead(200, { ...(reply.getHeaders() as OutgoingHttpHeaders), ...SSE_HEADERS, ...headers });
}
