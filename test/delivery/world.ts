import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type NatsServer, startEphemeralNats } from '@toolstream/testkit';
import { EdgeProcess } from './edge-process.ts';
import { Store } from './store.ts';

const SECRET = 'a-secret-of-the-tests-with-enough-characters';
export const TENANT = 't1';

/** A nats-server, two edges and the log: everything between a writer and a client. */
export class World {
  readonly nats: NatsServer;
  readonly store: Store;
  readonly #nc: NatsConnection;
  #edges: EdgeProcess[] = [];
  /** Edges that take the place of dead ones. */
  readonly #starting = new Set<Promise<unknown>>();
  #starts = 0;
  #picked = 0;

  static async start(partitions: number): Promise<World> {
    const nats = await startEphemeralNats();
    const nc = await connect({ port: nats.port, maxReconnectAttempts: -1, reconnectTimeWait: 50, reconnectJitter: 50 });
    const world = new World(nats, nc, await Store.open(nc, partitions));
    await Promise.all([world.startEdge(), world.startEdge()]);
    return world;
  }

  private constructor(nats: NatsServer, nc: NatsConnection, store: Store) {
    this.nats = nats;
    this.#nc = nc;
    this.store = store;
  }

  get edges(): readonly EdgeProcess[] {
    return this.#edges;
  }

  /** Where the next connection goes; `undefined` while no edge lives. */
  readonly port = (): number | undefined => this.#edges[this.#picked++ % Math.max(1, this.#edges.length)]?.port;

  token(secondsLeft = 600): string {
    const exp = Math.floor(Date.now() / 1000) + secondsLeft;
    const body = { sub: 'ann', tenant: TENANT, scope: 'runs:read', apps: '*', exp };
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(body)}`;
    return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
  }

  get edgeLog(): string {
    return join(this.nats.dataDir, 'edges.log');
  }

  /** The last lines of the edges' log that name this. */
  edgesOn(name: string): string[] {
    const lines = readFileSync(this.edgeLog, 'utf8').split('\n');
    return lines.filter((line) => line.includes(name)).slice(-10);
  }

  startEdge(): Promise<void> {
    const env = {
      TOOLSTREAM_JWT_SECRET: SECRET,
      TOOLSTREAM_PARTITIONS: String(this.store.partitions),
      TOOLSTREAM_FEED_LINGER_MS: this.#starts++ % 2 === 0 ? '200' : '5000',
    };
    const started = EdgeProcess.start(this.nats.port, this.edgeLog, env).then((edge) => {
      this.#edges.push(edge);
    });
    this.#starting.add(started);
    const done = () => this.#starting.delete(started);
    started.then(done, done);
    return started;
  }

  /** Takes an edge out of service and starts another at once. */
  async lose(how: 'kill9' | 'drain', index: number): Promise<void> {
    const edge = this.#edges[index % this.#edges.length];
    if (!edge) return;
    const successor = this.startEdge();
    if (how === 'kill9') this.#edges = this.#edges.filter((other) => other !== edge);
    const gone = edge[how]();
    // Until it refuses, a load balancer goes on sending to an edge that drains.
    if (how === 'drain') setTimeout(() => (this.#edges = this.#edges.filter((other) => other !== edge)), 100);
    await Promise.all([gone, successor]);
  }

  async stop(): Promise<void> {
    await Promise.allSettled([...this.#starting]);
    await Promise.all(this.#edges.map((edge) => edge.kill9()));
    await this.#nc.close();
    await this.nats.stop();
  }
}
