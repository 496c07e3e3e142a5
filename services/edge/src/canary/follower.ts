import { setTimeout } from 'node:timers/promises';
import { CURSOR_START, type EventFrame, type ServerFrame, SUBPROTOCOL } from '@toolstream/proto-events';
import { WebSocket } from 'ws';

/** What one follower saw of a run. */
export interface Sight {
  /** Ids of the events in the order in which they came. */
  readonly ids: string[];
  /** Milliseconds from an event's time to its arrival, for what came while it happened. */
  readonly lags: number[];
  /** Jumps, and snapshots, which nobody asked for. */
  readonly breaches: string[];
  readonly connections: number;
}

export interface FollowerOptions {
  /** Address of `/ws`; a fresh ticket is added for every connection. */
  readonly url: string;
  readonly run: string;
  /** Breaks its own connection after this many events, again and again; absent: never. */
  readonly breakAfter: number | undefined;
  ticket(): Promise<string>;
  readonly signal: AbortSignal;
}

const RECONNECT_MS = 100;

/**
 * Follows a run from its first event to its end as a client of the public interface, by the documented rules alone: the
 * cursor handed back is the last one received, `prev` must be that cursor. Rejects when the service refuses it.
 */
export async function followRun(options: FollowerOptions): Promise<Sight> {
  const sight = { ids: [] as string[], lags: [] as number[], breaches: [] as string[], connections: 0 };
  let cursor: string = CURSOR_START;
  let caughtUp = false;

  const take = (frame: EventFrame) => {
    if (cursor !== CURSOR_START && frame.prev !== cursor)
      sight.breaches.push(`prev ${frame.prev} where ${cursor} was expected`);
    cursor = frame.cursor;
    const { id, time } = frame.event as { id: string; time: string };
    sight.ids.push(id);
    if (caughtUp) sight.lags.push(Math.max(0, Date.now() - Date.parse(time)));
  };

  const connection = async (): Promise<'ended' | 'broken'> => {
    const address = new URL(options.url);
    address.searchParams.set('ticket', await options.ticket());
    options.signal.throwIfAborted();
    sight.connections++;
    caughtUp = false;
    let left = options.breakAfter ?? Number.POSITIVE_INFINITY;
    const socket = new WebSocket(address, [SUBPROTOCOL], { perMessageDeflate: false });
    const stop = () => socket.terminate();
    options.signal.addEventListener('abort', stop, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        socket.on('open', () =>
          socket.send(JSON.stringify({ type: 'hello', subscribe: [{ run: options.run, cursor }] })),
        );
        socket.on('message', (data) => {
          const frame = JSON.parse(String(data)) as ServerFrame;
          if (frame.type === 'event') take(frame);
          else if (frame.type === 'caught_up') caughtUp = true;
          else if (frame.type === 'snapshot') sight.breaches.push(`a snapshot: ${frame.reason}`);
          else if (frame.type === 'error') reject(new Error(`refused: ${frame.code}: ${frame.message}`));
          else if (frame.type === 'ping') socket.send(JSON.stringify({ type: 'pong' }));
          else if (frame.type === 'end') resolve('ended');
          if (frame.type === 'event' && --left <= 0) resolve('broken');
        });
        socket.on('error', () => resolve('broken'));
        socket.on('close', () => resolve('broken'));
      });
    } finally {
      options.signal.removeEventListener('abort', stop);
      socket.terminate();
    }
  };

  for (;;) {
    if ((await connection()) === 'ended') return sight;
    await setTimeout(RECONNECT_MS, undefined, { signal: options.signal });
  }
}
