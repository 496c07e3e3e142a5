import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fold } from '@toolstream/domain';
import { type ClientFrame, RUN_END_TYPES, type ServerFrame, SUBPROTOCOL } from '@toolstream/proto-events';
import { type WebSocket, WebSocketServer } from 'ws';
import { parsePlace, seqAt } from '../src/place.ts';
import { cursorAt, eventFrame, type Recorded } from './history.ts';

export interface Peer {
  readonly socket: WebSocket;
  readonly received: ClientFrame[];
  send(frame: ServerFrame): void;
}

/** An edge as far as the protocol goes: real sockets, histories from memory, and mishaps on demand. */
export class LocalEdge {
  readonly logs = new Map<string, Recorded[]>();
  readonly peers: Peer[] = [];
  readonly requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  heartbeatMs = 15_000;
  expiresInMs = 3_600_000;
  /** Decides on a hello; a code refuses it. */
  admit: (token: string) => number | undefined = () => undefined;
  /** Called with each frame from a client before it is answered; `true`: it is not answered. */
  intercept: (frame: ClientFrame, peer: Peer) => boolean = () => false;
  /** Called with each frame to a client; `false` loses it. */
  passes: (frame: ServerFrame) => boolean = () => true;
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void = (_, __, response) =>
    response.writeHead(404).end();
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #watching = new Map<Peer, Map<string, string>>();

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        this.requests.push({ method: request.method!, url: request.url!, headers: request.headers, body });
        this.answer(request, body, response);
      });
    });
    this.#sockets = new WebSocketServer({ server: this.#server, path: '/ws', handleProtocols: () => SUBPROTOCOL });
    this.#sockets.on('connection', (socket) => this.#connected(socket));
  }

  static async start(): Promise<LocalEdge> {
    const edge = new LocalEdge();
    await new Promise<void>((resolve) => edge.#server.listen(0, '127.0.0.1', resolve));
    return edge;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get last(): Peer {
    return this.peers.at(-1)!;
  }

  frames<T extends ClientFrame['type']>(type: T): Extract<ClientFrame, { type: T }>[] {
    return this.peers.flatMap(({ received }) => received.filter((frame) => frame.type === type)) as never;
  }

  /** Appends to a run's log and relays to whoever watches it. */
  append(run: string, ...recorded: Recorded[]): void {
    const log = this.logs.get(run) ?? [];
    this.logs.set(run, log);
    log.push(...recorded);
    for (const peer of this.#watching.keys()) this.#relay(peer, run);
  }

  async stop(): Promise<void> {
    for (const { socket } of this.peers) socket.terminate();
    this.#sockets.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connected(socket: WebSocket): void {
    const send = (frame: ServerFrame) => {
      if (this.passes(frame)) socket.send(JSON.stringify(frame));
    };
    const peer: Peer = { socket, received: [], send };
    this.peers.push(peer);
    this.#watching.set(peer, new Map());
    socket.on('close', () => this.#watching.delete(peer));
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as ClientFrame;
      peer.received.push(frame);
      if (!this.intercept(frame, peer)) this.#handle(peer, frame);
    });
  }

  #handle(peer: Peer, frame: ClientFrame): void {
    if (frame.type === 'hello') {
      const refused = this.admit(frame.token ?? '');
      if (refused !== undefined) {
        peer.socket.close(refused);
        return;
      }
      const expires_at = new Date(Date.now() + this.expiresInMs).toISOString();
      peer.send({ type: 'welcome', session: 's', heartbeat_ms: this.heartbeatMs, expires_at, epoch: 'e1' });
      for (const wanted of frame.subscribe ?? []) if ('run' in wanted) this.#subscribe(peer, wanted.run, wanted.cursor);
    }
    if (frame.type === 'subscribe' && 'run' in frame) this.#subscribe(peer, frame.run, frame.cursor);
    if (frame.type === 'unsubscribe') this.#watching.get(peer)?.delete(frame.run ?? '');
    if (frame.type === 'command') peer.send({ type: 'ack', id: frame.id, cursor: cursorAt(99) });
  }

  #subscribe(peer: Peer, run: string, cursor: string | undefined): void {
    const log = this.logs.get(run);
    if (!log) {
      peer.send({ type: 'error', code: 'not_found', message: 'No such run.', run });
      return;
    }
    let after = cursor === 'start' ? cursorAt(0) : cursor;
    if (after === undefined) {
      const state = fold(log)!;
      after = cursorAt(state.seq);
      peer.send({ type: 'snapshot', run, cursor: after, reason: 'cold', state });
    }
    this.#watching.get(peer)?.set(run, after);
    const { socket } = peer;
    this.#relay(peer, run);
    if (socket.readyState === 1)
      peer.send({ type: 'caught_up', run, cursor: this.#watching.get(peer)?.get(run) ?? after });
    this.#end(peer, run);
  }

  #relay(peer: Peer, run: string): void {
    const watched = this.#watching.get(peer);
    let cursor = watched?.get(run);
    if (!watched || cursor === undefined) return;
    const after = seqAt(parsePlace(cursor)!, 0);
    for (const recorded of this.logs.get(run)!.filter(({ seq }) => seq > after)) {
      peer.send(eventFrame(recorded, cursor));
      cursor = cursorAt(recorded.seq);
      watched.set(run, cursor);
    }
    if (after > 0) this.#end(peer, run);
  }

  #end(peer: Peer, run: string): void {
    const last = this.logs.get(run)?.at(-1);
    if (!last || !RUN_END_TYPES.has(last.event.type) || !this.#watching.get(peer)?.delete(run)) return;
    peer.send({ type: 'end', run, cursor: cursorAt(last.seq), status: 'succeeded' });
  }
}
