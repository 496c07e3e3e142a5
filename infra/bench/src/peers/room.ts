import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { paced } from '../clock.ts';
import { framesLike } from '../frames.ts';
import type { Broadcast } from './broadcast.ts';
import { serve } from './serve.ts';

/**
 * The other peer of a fan-out: socket.io as it comes, over WebSockets without compression. A client names its room when it
 * connects; an event is emitted to the room as an object, which socket.io encodes once for all who are in it.
 */
const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
io.on('connection', async (socket) => {
  await socket.join(roomOf(socket.handshake.auth));
  socket.emit('live');
});
const roomOf = (auth: Record<string, unknown>): string => String(auth.room);
let frameAfter: ReturnType<typeof framesLike> | undefined;

serve({
  async start() {
    await new Promise<void>((resolve) => http.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, resolve));
    return { port: (http.address() as AddressInfo).port };
  },
  async emit({ rate, seconds, like, room }: Broadcast & { room: string }) {
    frameAfter ??= framesLike(like);
    const next = frameAfter;
    const sent = await paced(rate, seconds, () => {
      io.to(room).emit('event', JSON.parse(next().toString()));
    });
    return { sent };
  },
});
