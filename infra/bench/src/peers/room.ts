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

/** What socket.io keeps for a client. */
interface Waiting {
  readonly transport: { readonly socket?: { readonly bufferedAmount: number } };
  readonly writeBuffer: readonly {
    readonly data?: { readonly length: number };
    readonly options?: { readonly wsPreEncodedFrame?: readonly Buffer[] };
  }[];
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
  /** Bytes that this process keeps for clients that do not read: in `ws`, and in front of it. */
  waiting() {
    let sum = 0;
    const engine = io?.engine as unknown as { readonly clients: Readonly<Record<string, Waiting>> } | undefined;
    for (const client of Object.values(engine?.clients ?? {})) {
      sum += client.transport.socket?.bufferedAmount ?? 0;
      for (const { data, options } of client.writeBuffer) {
        const frame = options?.wsPreEncodedFrame;
        sum += frame ? frame.reduce((bytes, part) => bytes + part.length, 0) : (data?.length ?? 0);
      }
    }
    return sum;
  },
});
