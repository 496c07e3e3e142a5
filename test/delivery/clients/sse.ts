import { type ClientRequest, get } from 'node:http';
import type { RunState, ServerFrame } from '@toolstream/proto-events';
import type { Line } from '../proxy.ts';
import { type Recorder, topicOf } from '../record.ts';
import type { Truth } from '../truth.ts';
import { type Deed, type DeliveryClient, type FirstCursor, firstCursor } from './client.ts';
import { Follower } from './follower.ts';

const SILENCE_MS = 3_500;
const RETRY_MS = 150;

export interface SseOptions {
  readonly name: string;
  readonly line: Line;
  readonly recorder: Recorder;
  readonly run: string;
  readonly first: FirstCursor;
  token(): string;
}

/** An EventSource by hand: what ended without a blank line is no event, and the last id is where it comes back. */
export class SseClient implements DeliveryClient {
  readonly name: string;
  readonly line: Line;
  readonly recorder: Recorder;
  readonly topics: readonly string[];
  readonly complaints: string[] = [];
  readonly #options: SseOptions;
  readonly #topic: string;
  readonly #follower: Follower;
  #lastId: string | undefined;
  #request: ClientRequest | undefined;
  #awayUntil = 0;
  #stopped = false;

  constructor(options: SseOptions) {
    this.#options = options;
    this.name = options.name;
    this.line = options.line;
    this.recorder = options.recorder;
    this.#topic = topicOf({ run: options.run });
    this.topics = [this.#topic];
    this.#follower = new Follower(this.#topic, firstCursor(options.first));
  }

  start(): void {
    this.#connect();
  }

  act(deed: Deed): void {
    if (deed.do === 'leave' || deed.do === 'away') {
      this.recorder.note(`away for ${deed.forMs} ms`);
      this.#awayUntil = performance.now() + deed.forMs;
      this.#request?.destroy();
    }
    if (deed.do === 'repeat') this.#request?.destroy();
  }

  isCaughtUp(truth: Truth): boolean {
    return this.#follower.isCaughtUp(truth);
  }

  stateOf(_topic: string, run: string): RunState | undefined {
    return this.#follower.stateOf(run);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#request?.destroy();
    await this.line.close();
  }

  #connect(): void {
    if (this.#stopped || this.#follower.over) return;
    const connection = this.recorder.opened();
    const { cursor } = this.#follower;
    const query = this.#lastId === undefined && cursor !== undefined ? `?cursor=${encodeURIComponent(cursor)}` : '';
    const headers = {
      accept: 'text/event-stream',
      authorization: `Bearer ${this.#options.token()}`,
      ...(this.#lastId === undefined ? {} : { 'last-event-id': this.#lastId }),
    };
    this.#follower.restarted();
    this.recorder.subscribed(this.#topic, this.#lastId ?? cursor);
    const path = `/v1/runs/${this.#options.run}/events${query}`;
    const request = get({ host: '127.0.0.1', port: this.line.port, path, headers, agent: false });
    this.#request = request;
    request.setTimeout(SILENCE_MS, () => request.destroy());
    request.on('error', () => {});
    request.on('response', (response) => {
      this.recorder.note(`status ${response.statusCode}`);
      if (response.statusCode === 204) this.#follower.over = true;
      if (response.statusCode === 404) this.#follower.refused = 'not_found';
      if (response.statusCode !== 200) {
        response.resume();
        return;
      }
      response.on('error', () => {});
      this.#read(response, connection);
    });
    request.on('close', () => {
      this.recorder.closed(connection, '');
      const away = Math.max(0, this.#awayUntil - performance.now());
      setTimeout(() => this.#connect(), away + RETRY_MS);
    });
  }

  #read(response: NodeJS.ReadableStream, connection: number): void {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      const blocks = (text + chunk).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) this.#block(block, connection);
    });
  }

  #block(block: string, connection: number): void {
    const fields = new Map(
      block
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]),
    );
    const data = fields.get('data');
    if (data === undefined) return;
    const frame = JSON.parse(data) as ServerFrame;
    this.recorder.received(connection, frame);
    const id = fields.get('id');
    if ('cursor' in frame && frame.cursor !== id)
      this.complaints.push(`the id ${id} is not the cursor of ${data.slice(0, 200)}`);
    if (id !== undefined) this.#lastId = id;
    if (frame.type === 'error') {
      this.#follower.refused = frame.code;
    } else if (
      frame.type === 'snapshot' ||
      frame.type === 'event' ||
      frame.type === 'caught_up' ||
      frame.type === 'end'
    ) {
      if (!this.#follower.take(frame)) return;
      this.complaints.push(`a stream that began at its last id does not join up at ${frame.cursor}`);
      this.#lastId = this.#follower.cursor;
      this.#request?.destroy();
    }
  }
}
