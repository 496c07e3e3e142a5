import type { AddressInfo } from 'node:net';
import { createServer, type Socket, connect as tcpConnect } from 'node:net';

export interface TcpProxy {
  readonly url: string;
  /** Bytes from the server are thrown away while true: requests arrive, their answers do not. */
  swallowAnswers: boolean;
  /** Cuts every connection; the client connects again through the same port. */
  cut(): void;
  stop(): Promise<void>;
}

/** A TCP proxy in front of a server: the place where answers get lost. */
export async function startProxy(port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const state = { swallowAnswers: false };
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  };
  const listener = createServer((client) => {
    const server = tcpConnect(port, '127.0.0.1');
    keep(client);
    keep(server);
    client.on('data', (chunk) => server.write(chunk));
    server.on('data', (chunk) => {
      if (!state.swallowAnswers) client.write(chunk);
    });
    client.once('close', () => server.destroy());
    server.once('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `nats://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    get swallowAnswers() {
      return state.swallowAnswers;
    },
    set swallowAnswers(value) {
      state.swallowAnswers = value;
    },
    cut,
    stop: () => {
      cut();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}
