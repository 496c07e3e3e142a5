import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import { EPOCH_KEY } from '@toolstream/event-log';
import { eventStream, HEADER_ID } from '@toolstream/proto-events';
import type { PositionRow } from './position.ts';

/** The durable consumer of each event stream. */
export const CONSUMER = 'projection';
const CONSUMER_NOT_FOUND = 10014;
const MESSAGE_NOT_FOUND = 10037;

export interface StreamState {
  readonly epoch: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** As the stream's leader sees it. */
export async function streamState(jsm: JetStreamManager, partition: number): Promise<StreamState> {
  const { config, state } = await jsm.streams.info(eventStream(partition));
  const epoch = config.metadata?.[EPOCH_KEY];
  if (!epoch)
    throw new Error(`${eventStream(partition)} has no ${EPOCH_KEY} in its metadata; declare the streams first`);
  return { epoch, firstSeq: state.first_seq, lastSeq: state.last_seq };
}

/**
 * Events that the consumer has not handed out or not seen acknowledged. Without a consumer (nobody projects) it is what
 * the log holds behind the position, events purged since included.
 */
export async function pendingEvents(jsm: JetStreamManager, partition: number, position: number): Promise<number> {
  const stream = eventStream(partition);
  try {
    const { num_pending, num_ack_pending } = await jsm.consumers.info(stream, CONSUMER);
    return num_pending + num_ack_pending;
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== CONSUMER_NOT_FOUND) throw error;
    return Math.max(0, (await jsm.streams.info(stream)).state.last_seq - position);
  }
}

/** Why the rows and the log do not belong together. */
export interface Divergence {
  readonly reason: 'epoch' | 'lost_tail';
  readonly message: string;
}

/**
 * Whether the rows may be continued from the log. They may not when the log is another incarnation, ends before the
 * position (a power loss took its tail, Postgres kept its own), or holds another event where the last applied one was
 * (its tail was lost and has grown again).
 */
export async function findDivergence(
  jsm: JetStreamManager,
  partition: number,
  stream: StreamState,
  position: PositionRow,
): Promise<Divergence | undefined> {
  const name = eventStream(partition);
  if (position.epoch !== stream.epoch) {
    const message = `the rows of partition ${partition} were made from epoch ${position.epoch}, ${name} is epoch ${stream.epoch}`;
    return { reason: 'epoch', message };
  }
  if (position.seq > stream.lastSeq) {
    const message = `the rows of partition ${partition} are at ${position.seq}, ${name} ends at ${stream.lastSeq}: the log lost its tail`;
    return { reason: 'lost_tail', message };
  }
  if (position.seq === 0 || position.event_id === null) return undefined;
  const id = await eventIdAt(jsm, name, position.seq);
  if (id === undefined || id === position.event_id) return undefined;
  const message = `event ${position.seq} of ${name} is ${id}, the rows were made from ${position.event_id}: the log lost its tail and grew again`;
  return { reason: 'lost_tail', message };
}

/** Undefined when retention has taken the event away: then there is nothing to compare. */
async function eventIdAt(jsm: JetStreamManager, stream: string, seq: number): Promise<string | undefined> {
  try {
    const message = await jsm.streams.getMessage(stream, { seq });
    return message?.header.get(HEADER_ID);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === MESSAGE_NOT_FOUND) return undefined;
    throw error;
  }
}
