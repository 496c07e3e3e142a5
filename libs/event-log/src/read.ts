import { eventStream } from '@toolstream/proto-events';
import type { Channel } from './channel.ts';
import { type Page, readPage } from './direct-get.ts';
import { leaderMessage } from './leader.ts';
import type { StoredEvent } from './stored-event.ts';

export const READ_TIMEOUT_MS = 15_000;
const PAGE_EVENTS = 1_000;
/** Bounds a read's memory where events are large: two pages are held at most. */
const PAGE_BYTES = 4 << 20;

export interface ReadOptions {
  partition: number;
  /** First sequence, inclusive. */
  from: number;
  /** Last sequence, inclusive. */
  to?: number;
  /** Events per page. */
  batch?: number;
  timeoutMs?: number;
}

/**
 * The events of a subject filter in stream order, in pages; ends at what the stream held when the last page was read.
 * The next page is on its way while one is consumed.
 */
export async function* readPages(channel: Channel, filter: string, options: ReadOptions): AsyncGenerator<Page> {
  const to = options.to ?? Number.MAX_SAFE_INTEGER;
  const page = (from: number) =>
    readPage(channel, {
      stream: eventStream(options.partition),
      filter,
      from,
      maxEvents: options.batch ?? PAGE_EVENTS,
      maxBytes: PAGE_BYTES,
      timeoutMs: options.timeoutMs ?? READ_TIMEOUT_MS,
    });
  if (options.from > to) return;
  let current = await page(options.from);
  for (;;) {
    const last = current.events.at(-1)?.seq ?? to;
    const next = current.pending > 0 && last < to ? page(last + 1) : undefined;
    // A consumer that stops early must not turn a failed read ahead into an unhandled rejection.
    next?.catch(() => {});
    yield current;
    if (!next) return;
    current = await next;
  }
}

export async function* readEvents(channel: Channel, filter: string, options: ReadOptions): AsyncGenerator<StoredEvent> {
  const to = options.to ?? Number.MAX_SAFE_INTEGER;
  for await (const page of readPages(channel, filter, options)) {
    for (const event of page.events) {
      if (event.seq > to) return;
      yield event;
    }
  }
}

/** Events from `from` to `through`, one by one from the leader: what a follower does not have yet. */
export async function* readFromLeader(
  channel: Channel,
  filter: string,
  bounds: { partition: number; from: number; through: number },
): AsyncGenerator<StoredEvent> {
  const stream = eventStream(bounds.partition);
  for (let from = bounds.from; from <= bounds.through; ) {
    const event = await leaderMessage(channel, stream, { seq: from, next_by_subj: filter }, READ_TIMEOUT_MS);
    if (!event || event.seq > bounds.through) return;
    yield event;
    from = event.seq + 1;
  }
}

export interface RunReadOptions {
  from?: number;
  to?: number;
  /**
   * Sequence of an event of this filter that is known to be stored (it was appended, or a consumer delivered it).
   * A follower's answer that does not reach it yet is completed from the leader.
   */
  through?: number;
}

/** All events of a filter at once: for runs, which are bounded. */
export async function readAll(
  channel: Channel,
  filter: string,
  partition: number,
  options: RunReadOptions = {},
): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  const bounds = { partition, from: options.from ?? 1, ...(options.to === undefined ? {} : { to: options.to }) };
  for await (const event of readEvents(channel, filter, bounds)) events.push(event);

  const through = Math.min(options.through ?? 0, options.to ?? Number.MAX_SAFE_INTEGER);
  const rest = { partition, from: (events.at(-1)?.seq ?? bounds.from - 1) + 1, through };
  for await (const event of readFromLeader(channel, filter, rest)) events.push(event);
  return events;
}
