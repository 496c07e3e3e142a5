import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { paced } from '../clock.ts';
import { framesLike } from '../frames.ts';
import '../gc-on-signal.ts';
import type { Broadcast } from './broadcast.ts';
import { serve } from './serve.ts';

export interface Room {
  /** Keeps events for this long, for clients that come back. */
  readonly recoverableMs?: number;
}

const http = createServer();
let io: Server | undefined;
const frames = new Map<string, ReturnType<typeof framesLike>>();
let turn = 0;

/**
 * The other peer of a fan-out: socket.io as it comes, over WebSockets without compression, with its in-memory adapter. A
 * client names its room when it connects; an event is emitted to the room as an object, which socket.io encodes once for all
 * who are in it.
 */
serve({
  async start({ recoverableMs }: Room) {
    io = new Server(http, {
      transports: ['websocket'],
      perMessageDeflate: false,
      serveClient: false,
      ...(recoverableMs === undefined
        ? {}
        : { connectionStateRecovery: { maxDisconnectionDuration: recoverableMs, skipMiddlewares: true } }),
    });
    io.use((socket, next) => {
      void socket.join(String(socket.handshake.auth.room));
      next();
    });
    await new Promise<void>((resolve) => http.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));
    return { port: (http.address() as AddressInfo).port };
  },
  async emit({ rate, seconds, like, rooms }: Broadcast & { rooms: readonly string[] }) {
    const sent = await paced(rate, seconds, () => {
      const room = rooms[turn++ % rooms.length]!;
      const next = frames.get(room) ?? framesLike(like);
      frames.set(room, next);
      io?.to(room).emit('event', JSON.parse(next().toString()));
    });
    return { sent };
  },
});
