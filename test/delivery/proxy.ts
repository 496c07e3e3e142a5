import { type AddressInfo, createServer, type Socket, connect as tcpConnect } from 'node:net';

/** What the way from the edge to the client does to the bytes. */
export interface Weather {
  /** Nothing arrives; what the edge writes piles up. */
  stalled: boolean;
  bytesPerSecond: number | undefined;
  delayMs: number;
  /** The connection ends after exactly this many further bytes, wherever in a frame that is. */
  cutAfter: number | undefined;
  /** How it ends: as a lost peer (reset), or as a closed one without a goodbye. */
  reset: boolean;
}

const TICK_MS = 25;
/** What the proxy itself holds; beyond it, it stops reading. */
const HELD_BYTES = 4 * 1024;

/** A TCP proxy of one client's own. It asks `target` for the edge's port at every connection. */
export class Line {
  readonly weather: Weather = {
    stalled: false,
    bytesPerSecond: undefined,
    delayMs: 0,
    cutAfter: undefined,
    reset: false,
  };
  readonly #target: () => number | undefined;
  readonly #pipes = new Set<Pipe>();
  readonly #listener = createServer({ pauseOnConnect: true }, (client) => this.#accept(client));
  #timer: NodeJS.Timeout | undefined;

  constructor(target: () => number | undefined) {
    this.#target = target;
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#listener.listen(0, '127.0.0.1', resolve));
    this.#timer = setInterval(() => this.refresh(), TICK_MS);
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** After a change of the weather. */
  refresh(): void {
    for (const pipe of this.#pipes) pipe.pump();
  }

  cut(): void {
    for (const pipe of [...this.#pipes]) pipe.end(this.weather.reset);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const pipe of [...this.#pipes]) pipe.end(true);
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()));
  }

  #accept(client: Socket): void {
    const port = this.#target();
    client.on('error', () => {});
    if (port === undefined) {
      client.resetAndDestroy();
      return;
    }
    const edge = tcpConnect(port, '127.0.0.1');
    const pipe: Pipe = new Pipe(client, edge, this.weather, () => this.#pipes.delete(pipe));
    this.#pipes.add(pipe);
  }
}

/** One connection: the client's bytes pass at once, the edge's as the weather allows. */
class Pipe {
  readonly #client: Socket;
  readonly #edge: Socket;
  readonly #weather: Weather;
  readonly #onEnd: () => void;
  #held: { due: number; bytes: Buffer }[] = [];
  #heldBytes = 0;
  #pumpedAt = performance.now();
  #edgeEnded = false;
  #over = false;

  constructor(client: Socket, edge: Socket, weather: Weather, onEnd: () => void) {
    this.#client = client;
    this.#edge = edge;
    this.#weather = weather;
    this.#onEnd = onEnd;
    client.setNoDelay(true);
    client.on('data', (chunk) => edge.write(chunk));
    client.once('close', () => this.end(false));
    client.resume();
    edge.on('error', () => {});
    edge.on('data', (chunk) => this.#take(chunk));
    edge.once('close', () => {
      this.#edgeEnded = true;
      this.pump();
    });
  }

  #take(chunk: Buffer): void {
    this.#held.push({ due: performance.now() + this.#weather.delayMs, bytes: chunk });
    this.#heldBytes += chunk.length;
    this.pump();
    if (this.#heldBytes > HELD_BYTES) this.#edge.pause();
  }

  pump(): void {
    if (this.#over) return;
    const { stalled, bytesPerSecond } = this.#weather;
    const now = performance.now();
    let allowed = Number.POSITIVE_INFINITY;
    if (bytesPerSecond !== undefined) allowed = Math.floor(((now - this.#pumpedAt) * bytesPerSecond) / 1000);
    if (allowed > 0) this.#pumpedAt = now;
    while (!stalled && allowed > 0 && this.#held.length > 0 && this.#held[0]!.due <= now) {
      const part = this.#part(allowed);
      allowed -= part.length;
      if (this.#write(part)) return;
    }
    if (this.#held.length === 0 && this.#edgeEnded) this.end(false);
    else if (this.#heldBytes <= HELD_BYTES && this.#edge.isPaused()) this.#edge.resume();
  }

  #part(allowed: number): Buffer {
    const first = this.#held[0]!;
    const part = first.bytes.subarray(0, allowed);
    if (part.length === first.bytes.length) this.#held.shift();
    else this.#held[0] = { due: first.due, bytes: first.bytes.subarray(part.length) };
    this.#heldBytes -= part.length;
    return part;
  }

  /** True when this was the end. */
  #write(part: Buffer): boolean {
    const { cutAfter, reset } = this.#weather;
    if (cutAfter === undefined || part.length < cutAfter) {
      this.#client.write(part);
      if (cutAfter !== undefined) this.#weather.cutAfter = cutAfter - part.length;
      return false;
    }
    this.#weather.cutAfter = undefined;
    this.#client.write(part.subarray(0, cutAfter));
    this.end(reset);
    return true;
  }

  end(reset: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#held = [];
    if (reset) this.#client.resetAndDestroy();
    else this.#client.destroySoon();
    this.#edge.destroy();
    this.#onEnd();
  }
}
