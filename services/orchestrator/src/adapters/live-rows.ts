import type { NatsConnection } from '@nats-io/nats-core';
import { liveQueryReply, querySubject } from '@toolstream/proto-events';
import { request, UnavailableError } from '@toolstream/service-kit';
import type { LiveRow } from '../handlers/sweep.ts';

const PAGE = 500;
const TIMEOUT_MS = 5_000;

/** The runs that have not ended, page by page from the projection. */
export async function* liveRows(nc: NatsConnection): AsyncGenerator<LiveRow> {
  let after: string | undefined;
  do {
    const body = { limit: PAGE, ...(after === undefined ? {} : { after }) };
    const reply = liveQueryReply.safeParse(await request(nc, querySubject('live'), body, { timeoutMs: TIMEOUT_MS }));
    if (!reply.success) throw new UnavailableError('The projection refused to list the live runs.');
    yield* reply.data.runs;
    after = reply.data.next;
  } while (after !== undefined);
}
