import { type WebSocket, WebSocketServer } from 'ws';
import { paced } from '../clock.ts';
import { framesLike } from '../frames.ts';
import '../gc-on-signal.ts';
import { serve } from './serve.ts';

export interface Broadcast {
  readonly rate: number;
  readonly seconds: number;
  /** A frame as the edge sends it. */
  readonly like: string;
}

/** The floor of a fan-out: events are made here, so nothing is read from anywhere, and sent to whoever is connected. */
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 4_096 });
server.on('connection', (ws: WebSocket) => ws.send('ready'));
let frameAfter: ReturnType<typeof framesLike> | undefined;

serve({
  async start() {
    if (!server.address()) await new Promise((resolve) => server.once('listening', resolve));
    return { port: (server.address() as { port: number }).port };
  },
  async emit({ rate, seconds, like }: Broadcast) {
    frameAfter ??= framesLike(like);
    const next = frameAfter;
    const sent = await paced(rate, seconds, () => {
      const payload = next();
      for (const client of server.clients) client.send(payload, { binary: false });
    });
    return { sent };
  },
  /** Bytes that this process keeps for clients that do not read. */
  waiting: () => [...server.clients].reduce((sum, client) => sum + client.bufferedAmount, 0),
});
