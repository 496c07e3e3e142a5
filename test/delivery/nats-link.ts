import { type AddressInfo, createServer, type Socket, connect as tcpConnect } from 'node:net';

/**
 * One edge's way to NATS. It can be cut, and it can lose live messages without a trace, as core NATS may: it reads the
 * server's protocol just far enough to know where messages begin and end and which are live ones.
 */
export interface NatsLink {
  readonly url: string;
  /** Asked for every live message. */
  loses: () => boolean;
  cut(): void;
  close(): Promise<void>;
}

export async function openNatsLink(port: number): Promise<NatsLink> {
  const sockets = new Set<Socket>();
  let loses = () => false;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  };
  const listener = createServer((edge) => {
    const server = tcpConnect(port, '127.0.0.1');
    keep(edge);
    keep(server);
    edge.setNoDelay(true);
    server.setNoDelay(true);
    edge.on('data', (chunk) => server.write(chunk));
    const messages = new Messages((subject) => !(subject.startsWith('ts.live.') && loses()));
    server.on('data', (chunk) => {
      for (const part of messages.take(chunk)) edge.write(part);
    });
    edge.once('close', () => server.destroy());
    server.once('close', () => edge.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of [...sockets]) socket.destroy();
  };
  return {
    url: `nats://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    get loses() {
      return loses;
    },
    set loses(value) {
      loses = value;
    },
    cut,
    close: async () => {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      cut();
      await closed;
    },
  };
}

const CRLF = Buffer.from('\r\n');

/** Cuts the server's side of the protocol into whole lines and messages, and leaves out messages that may not pass. */
class Messages {
  readonly #passes: (subject: string) => boolean;
  #rest = Buffer.alloc(0);

  constructor(passes: (subject: string) => boolean) {
    this.#passes = passes;
  }

  take(chunk: Buffer): Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const parts: Buffer[] = [];
    let at = 0;
    let from = 0;
    for (;;) {
      const line = bytes.indexOf(CRLF, at);
      if (line < 0) break;
      let end = line + 2;
      let subject: string | undefined;
      // M(SG) or H(MSG): a payload follows, whose length is the line's last word.
      if (bytes[at] === 0x4d || bytes[at] === 0x48) {
        const words = bytes.toString('latin1', at, line).split(' ');
        subject = words[1];
        end += Number(words.at(-1)) + 2;
      }
      if (end > bytes.length) break;
      if (subject !== undefined && !this.#passes(subject)) {
        if (at > from) parts.push(bytes.subarray(from, at));
        from = end;
      }
      at = end;
    }
    if (at > from) parts.push(bytes.subarray(from, at));
    this.#rest = Buffer.from(bytes.subarray(at));
    return parts;
  }
}
