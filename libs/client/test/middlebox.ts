import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What a request is for, as a middlebox tells it. */
export type Kind = 'upgrade' | 'stream' | 'poll' | 'request';

/**
 * What is done to requests of a kind. `refuse`: a middlebox answers for the service. `swallow`: nothing is ever answered.
 * `hold`: the answer is kept until it is complete, as buffering proxies do. `reset`: the connection breaks.
 */
export type Treatment = 'pass' | 'refuse' | 'swallow' | 'hold' | 'reset';

interface Way {
  readonly client: Socket;
  readonly service: Socket;
  kind: Kind;
  held: Buffer[];
  passed: number;
  cutAt: number | undefined;
  muted: boolean;
}

/** A middlebox between client and service: TCP in the middle, with an eye on the heads of requests. */
export class Middlebox {
  readonly treatments: Partial<Record<Kind, Treatment>> = {};
  /** After how many bytes of its answer a connection is cut; asked for each new connection of a kind. */
  cutAt: (kind: Kind) => number | undefined = () => undefined;
  readonly seen: { kind: Kind; path: string }[] = [];
  readonly #server: Server;
  readonly #ways = new Set<Way>();

  private constructor(port: number) {
    this.#server = createServer((client) => this.#opened(client, connect(port, '127.0.0.1')));
  }

  static async start(target: string): Promise<Middlebox> {
    const box = new Middlebox(Number(new URL(target).port));
    await new Promise<void>((resolve) => box.#server.listen(0, '127.0.0.1', resolve));
    return box;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  count(kind: Kind): number {
    return this.seen.filter((request) => request.kind === kind).length;
  }

  /** Nothing passes any more over what is open, and nobody is told. */
  mute(): void {
    for (const way of this.#ways) way.muted = true;
  }

  /** Breaks what is open. */
  cut(kind?: Kind): void {
    for (const way of [...this.#ways]) if (kind === undefined || way.kind === kind) this.#end(way);
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #opened(client: Socket, service: Socket): void {
    const way: Way = { client, service, kind: 'request', held: [], passed: 0, cutAt: undefined, muted: false };
    this.#ways.add(way);
    client.on('data', (chunk) => this.#asked(way, chunk));
    service.on('data', (chunk) => this.#answered(way, chunk));
    service.on('end', () => {
      for (const chunk of way.held) client.write(chunk);
      client.end();
    });
    for (const socket of [client, service]) {
      socket.on('error', () => this.#end(way));
      socket.on('close', () => this.#end(way));
    }
  }

  #asked(way: Way, chunk: Buffer): void {
    if (way.muted) return;
    const head = /^(?:GET|POST|OPTIONS) (\S+) HTTP\/1\.1\r\n/.exec(chunk.subarray(0, 4096).toString('latin1'));
    if (head) {
      way.kind = kindOf(chunk.toString('latin1'));
      way.passed = 0;
      way.cutAt = this.cutAt(way.kind);
      this.seen.push({ kind: way.kind, path: head[1]! });
    }
    const treatment = this.treatments[way.kind] ?? 'pass';
    if (treatment === 'reset') {
      this.#end(way);
    } else if (treatment === 'refuse') {
      way.client.end(
        'HTTP/1.1 403 Forbidden\r\ncontent-type: text/html\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno',
      );
    } else if (treatment !== 'swallow') {
      way.service.write(chunk);
    }
  }

  #answered(way: Way, chunk: Buffer): void {
    if (way.muted) return;
    if ((this.treatments[way.kind] ?? 'pass') === 'hold') {
      way.held.push(chunk);
      return;
    }
    const left = (way.cutAt ?? Number.POSITIVE_INFINITY) - way.passed;
    way.passed += chunk.length;
    if (chunk.length < left) {
      way.client.write(chunk);
      return;
    }
    way.client.write(chunk.subarray(0, left), () => this.#end(way));
  }

  #end(way: Way): void {
    this.#ways.delete(way);
    way.client.destroy();
    way.service.destroy();
  }
}

function kindOf(request: string): Kind {
  if (/\r\nupgrade: *websocket\r\n/i.test(request)) return 'upgrade';
  if (/\r\naccept: *text\/event-stream/i.test(request)) return 'stream';
  return /\r\naccept: *application\/x-ndjson/i.test(request) ? 'poll' : 'request';
}
