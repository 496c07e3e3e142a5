import { type RunState, type ServerFrame, SUBPROTOCOL } from '@toolstream/proto-events';
import WebSocket from 'ws';
import type { Line } from '../proxy.ts';
import type { Random } from '../random.ts';
import { namesOf, type Recorder, topicOfFrame } from '../record.ts';
import type { Truth } from '../truth.ts';
import { type Deed, type DeliveryClient, type FirstCursor, FOREIGN_CURSOR, firstCursor } from './client.ts';
import { Follower } from './follower.ts';

/** Two heartbeats of a second, and some time to travel. */
const SILENCE_MS = 3_500;
const RETRY_MS = 250;

export interface RawOptions {
  readonly name: string;
  readonly line: Line;
  readonly recorder: Recorder;
  readonly random: Random;
  readonly topics: readonly string[];
  readonly first: FirstCursor;
  token(): string;
}

/** A WebSocket client written from the documentation alone, with bad manners on top: see {@link Deed}. */
export class RawClient implements DeliveryClient {
  readonly name: string;
  readonly line: Line;
  readonly recorder: Recorder;
  readonly topics: readonly string[];
  readonly complaints: string[] = [];
  readonly #options: RawOptions;
  readonly #followers = new Map<string, Follower>();
  /** Topics that it left for a while. */
  readonly #left = new Set<string>();
  /** What the connection's hello asked for. */
  #announced = new Set<Follower>();
  #ws: WebSocket | undefined;
  #connection = 0;
  #greeted = false;
  #awayUntil = 0;
  #retryMs: number | undefined;
  #heardAt = 0;
  #watch: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: RawOptions) {
    this.#options = options;
    this.name = options.name;
    this.line = options.line;
    this.recorder = options.recorder;
    this.topics = options.topics;
    for (const topic of options.topics) this.#followers.set(topic, new Follower(topic, firstCursor(options.first)));
  }

  start(): void {
    this.#connect();
    this.#watch = setInterval(() => {
      if (this.#ws && performance.now() - this.#heardAt > SILENCE_MS) this.#ws.terminate();
    }, 500);
  }

  act(deed: Deed): void {
    const { random } = this.#options;
    const follower = this.#followers.get(random.pick(this.topics))!;
    switch (deed.do) {
      case 'repeat':
        this.#repeat(follower, deed.from);
        return;
      case 'refresh':
        if (this.#greeted) this.#send({ type: 'refresh', token: this.#options.token() });
        return;
      case 'away':
        this.recorder.note(`away for ${deed.forMs} ms`);
        this.#awayUntil = performance.now() + deed.forMs;
        this.#ws?.terminate();
        return;
      case 'leave':
        if (!this.#greeted || follower.over) return;
        this.#left.add(follower.topic);
        this.#send({ type: 'unsubscribe', ...namesOf(follower.topic) });
        setTimeout(() => {
          this.#left.delete(follower.topic);
          this.#subscribe(follower);
        }, deed.forMs);
    }
  }

  #repeat(follower: Follower, from: Extract<Deed, { do: 'repeat' }>['from']): void {
    if (!this.#greeted || follower.over || this.#left.has(follower.topic)) return;
    const { random } = this.#options;
    const names = namesOf(follower.topic);
    const ask = (cursor: string | undefined) =>
      this.#send({ type: 'subscribe', ...names, ...(cursor === undefined ? {} : { cursor }) });
    const here = follower.cursor;
    if (from === 'here') for (let times = random.int(1, 3); times > 0; times--) ask(here);
    else if (from === 'earlier' && follower.earlier.length > 0) ask(random.pick(follower.earlier));
    else if (from === 'start') ask('start');
    else if (from === 'nothing') ask(undefined);
    else if (from === 'foreign') ask(FOREIGN_CURSOR);
    else if (from === 'future' && here !== undefined && here !== 'start') ask(here.replace(/\d+$/, '900000000'));
  }

  isCaughtUp(truth: Truth): boolean {
    return this.#left.size === 0 && [...this.#followers.values()].every((follower) => follower.isCaughtUp(truth));
  }

  stateOf(topic: string, run: string): RunState | undefined {
    return this.#followers.get(topic)?.stateOf(run);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#watch);
    this.#ws?.terminate();
    await this.line.close();
  }

  #connect(): void {
    if (this.#stopped) return;
    const ws = new WebSocket(`ws://127.0.0.1:${this.line.port}/ws`, [SUBPROTOCOL]);
    const connection = this.recorder.opened();
    this.#ws = ws;
    this.#connection = connection;
    this.#greeted = false;
    this.#retryMs = undefined;
    this.#heardAt = performance.now();
    for (const follower of this.#followers.values()) follower.restarted();
    ws.on('open', () => {
      const wanted = this.#wanted();
      this.#announced = new Set(wanted);
      const wishes = wanted.map((follower) => follower.wish());
      this.#send({ type: 'hello', token: this.#options.token(), subscribe: wishes });
    });
    ws.on('ping', () => {
      this.#heardAt = performance.now();
    });
    ws.on('message', (data) => {
      this.#heardAt = performance.now();
      this.#received(connection, JSON.parse(data.toString()) as ServerFrame);
    });
    ws.on('error', () => {});
    ws.on('close', (code) => {
      this.recorder.closed(connection, String(code));
      if (this.#ws !== ws) return;
      this.#ws = undefined;
      this.#greeted = false;
      const away = Math.max(0, this.#awayUntil - performance.now());
      setTimeout(() => this.#connect(), away + (this.#retryMs ?? this.#options.random.int(20, 200)));
    });
  }

  #wanted(): Follower[] {
    return [...this.#followers.values()].filter((follower) => !follower.over && !this.#left.has(follower.topic));
  }

  #received(connection: number, frame: ServerFrame): void {
    this.recorder.received(connection, frame);
    if (frame.type === 'welcome') this.#welcomed();
    else if (frame.type === 'ping') this.#send({ type: 'pong', positions: this.#positions() });
    else if (frame.type === 'bye') this.#retryMs = Math.min(frame.retry_ms ?? 50, 1_000);
    const topic = topicOfFrame(frame);
    const follower = topic === undefined ? undefined : this.#followers.get(topic);
    if (!follower) {
      if (frame.type === 'error' && frame.code !== 'token_expired')
        this.complaints.push(`refused: ${frame.code} ${frame.message}`);
      return;
    }
    if (frame.type === 'error') {
      follower.refused = frame.code;
      setTimeout(() => this.#subscribe(follower), RETRY_MS);
    } else if (
      frame.type === 'snapshot' ||
      frame.type === 'event' ||
      frame.type === 'caught_up' ||
      frame.type === 'end'
    ) {
      if (follower.take(frame)) this.#subscribe(follower);
    }
  }

  /** The greeting, or the answer to a refresh. What came back while the hello was on its way is asked for now. */
  #welcomed(): void {
    this.#greeted = true;
    for (const follower of this.#wanted()) {
      if (this.#announced.has(follower)) continue;
      this.#announced.add(follower);
      this.#subscribe(follower);
    }
  }

  #positions(): Record<string, string> {
    const known = [...this.#followers.values()].filter(({ cursor }) => cursor !== undefined && cursor !== 'start');
    return Object.fromEntries(known.map(({ topic, cursor }) => [topic.slice(4), cursor!]));
  }

  #subscribe(follower: Follower): void {
    if (!this.#greeted || follower.over || this.#left.has(follower.topic)) return;
    this.#send({ type: 'subscribe', ...follower.wish() });
  }

  #send(frame: Parameters<Recorder['sent']>[1]): void {
    if (this.#ws?.readyState !== WebSocket.OPEN) return;
    this.recorder.sent(this.#connection, frame);
    this.#ws.send(JSON.stringify(frame));
  }
}
