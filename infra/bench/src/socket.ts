import { SUBPROTOCOL } from '@toolstream/proto-events';
import { WebSocket } from 'ws';

const OPEN_MS = 15_000;

/** How a client connects to one of the servers, and how it knows that everything from now on will reach it. */
export interface Door {
  readonly url: string;
  readonly protocol?: string;
  /** Sent once the connection is open. */
  readonly hello?: unknown;
  /** The message that begins with this says that the client is live. */
  readonly live: string;
  /** How messages begin that carry an event. */
  readonly event: string;
  /** Heartbeats in messages of their own: how one begins, and what is the answer to it. */
  readonly heartbeat?: { readonly ping: string; readonly pong: string };
}

const EVENT = '{"type":"event"';

/** A server that sends frames like the edge's to everybody and knows nothing else. */
export const bareDoor = (port: number): Door => ({ url: `ws://127.0.0.1:${port}`, live: 'ready', event: EVENT });

/**
 * socket.io over WebSockets alone. The server puts the client into the room that it names before it confirms the
 * connection; with a session's `pid` and the last `offset` it sends what was missed first.
 */
export const roomDoor = (port: number, room: string, session: { pid?: string; offset?: string } = {}): Door => ({
  url: `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`,
  hello: `40${JSON.stringify({ room, ...session })}`,
  live: '40{',
  event: `42["event",${EVENT}`,
  heartbeat: { ping: '2', pong: '3' },
});

export const relayDoor = (port: number, subject: string): Door => ({
  url: `ws://127.0.0.1:${port}/?subject=${subject}`,
  live: 'ready',
  event: EVENT,
});

export const edgeDoor = (edgeUrl: string, token: string, run: string, cursor?: string): Door => ({
  url: `${edgeUrl.replace(/^http/, 'ws')}/ws`,
  protocol: SUBPROTOCOL,
  hello: { type: 'hello', token, subscribe: [{ run, ...(cursor === undefined ? {} : { cursor }) }] },
  live: '{"type":"caught_up"',
  event: EVENT,
  heartbeat: { ping: '{"type":"ping"', pong: '{"type":"pong"}' },
});

/** Opens a socket, waits until it is live and passes on every message from then on. */
export function openSocket(door: Door, onMessage: (data: Buffer) => void): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(door.url, door.protocol ?? [], { perMessageDeflate: false, skipUTF8Validation: true });
    const fail = (what: string) => {
      clearTimeout(late);
      ws.terminate();
      reject(new Error(`socket_failed: ${door.url} ${what}`));
    };
    const late = setTimeout(() => fail(`is not live after ${OPEN_MS} ms`), OPEN_MS);
    const refused = (code: number) => fail(`closed with ${code} before it was live`);
    ws.on('error', (error) => fail(error.message));
    ws.on('close', refused);
    ws.on('open', () => {
      if (door.hello !== undefined) ws.send(JSON.stringify(door.hello));
    });
    const mark = Buffer.from(door.live);
    let live = false;
    ws.on('message', (data: Buffer) => {
      if (live) return onMessage(data);
      if (mark.compare(data, 0, mark.length) !== 0) return;
      live = true;
      clearTimeout(late);
      ws.off('close', refused);
      resolve(ws);
    });
  });
}
