import { cleanup, render } from '@testing-library/react';
import { type Client, type ClientOptions, createClient, type SocketConstructor } from '@toolstream/client';
import { Profiler, type ReactNode, StrictMode } from 'react';
import { afterEach, beforeEach, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { anEvent, history, type Recorded, RUN } from '../../client/test/history.ts';
import { LocalEdge } from '../../client/test/local-edge.ts';
import { ToolstreamProvider } from '../src/index.ts';

export { RUN } from '../../client/test/history.ts';

/** Node's own needs events that are not jsdom's. */
export const SOCKETS = { WebSocket: WebSocket as unknown as SocketConstructor };

/** A page with an edge of its own for each test: real sockets, histories from memory. */
class Page {
  edge!: LocalEdge;

  client(options: Partial<ClientOptions> = {}): Client {
    const client = createClient({ url: this.edge.url, token: 'a-token', ...SOCKETS, ...options });
    onTestFinished(() => client.close());
    return client;
  }

  /** Rendered under a provider with a client that outlives it. */
  show(children: ReactNode, { strict = false, client = this.client() } = {}) {
    const tree = (inside: ReactNode) => {
      const all = <ToolstreamProvider client={client}>{inside}</ToolstreamProvider>;
      return strict ? <StrictMode>{all}</StrictMode> : all;
    };
    const shown = render(tree(children));
    return { ...shown, client, rerender: (inside: ReactNode) => shown.rerender(tree(inside)) };
  }

  subscribes(run = RUN): number {
    const wants = (frame: object) => 'run' in frame && frame.run === run;
    const first = this.edge.frames('hello').flatMap(({ subscribe = [] }) => subscribe);
    return [...first, ...this.edge.frames('subscribe')].filter(wants).length;
  }
}

export function livePage(): Page {
  const page = new Page();
  beforeEach(async () => {
    page.edge = await LocalEdge.start();
  });
  afterEach(async () => {
    cleanup();
    await page.edge.stop();
  });
  return page;
}

/** The beginning of a run of so many calls that are all under way, and how it goes on. */
export class Story {
  readonly #edge: LocalEdge;
  readonly #run: string;
  #seq: number;

  constructor(edge: LocalEdge, calls: number, run = RUN) {
    this.#edge = edge;
    this.#run = run;
    const whole = history(Array(calls).fill(0), [], run);
    const begins = (event: Recorded['event']) => !/succeeded/.test(event.type);
    const begin = whole.filter(({ event }) => begins(event));
    edge.append(run, ...begin);
    this.#seq = begin.at(-1)!.seq;
  }

  progress(toolindex: number, progress: number, message?: string): void {
    const data = { stage: 'working', progress, ...(message === undefined ? {} : { message }) };
    this.#tool('tool.progressed.v1', toolindex, data);
  }

  output(toolindex: number, text: string): void {
    this.#tool('tool.output.v1', toolindex, { channel: 'stdout', text });
  }

  succeed(toolindex: number): void {
    this.#tool('tool.succeeded.v1', toolindex, { result: null, metrics: { duration_ms: 5 } });
  }

  fail(toolindex: number, message: string): void {
    this.#tool('tool.failed.v1', toolindex, { error: { code: 'broken', message }, retryable: false });
  }

  /** The attempt hands the call back, and somebody is to answer. */
  ask(toolindex: number, message: string): void {
    const request = { message };
    this.#tool('tool.released.v1', toolindex, { reason: 'input', request });
    this.#append('tool.approval_requested.v1', { reason: 'input', request }, { toolindex });
  }

  pause(): number {
    return this.#append('run.paused.v1', {});
  }

  end(): void {
    const summary = { total: 1, successful: 1, failed: 0, cancelled: 0, skipped: 0 };
    const counts = { duration_ms: 10, files_created: 0, lines_written: 0 };
    this.#append('run.succeeded.v1', { summary: { ...summary, ...counts } });
  }

  #tool(type: Recorded['event']['type'], toolindex: number, data: unknown): void {
    this.#append(type, data, { toolindex, attempt: 1 });
  }

  #append(type: Recorded['event']['type'], data: unknown, on: { toolindex?: number; attempt?: number } = {}): number {
    this.#seq += 2;
    const event = { ...anEvent(type, data, { ...on, run: this.#run }), time: new Date().toISOString() };
    this.#edge.append(this.#run, { event, seq: this.#seq });
    return this.#seq;
  }
}

/** Counts how often what is inside was rendered. */
export function Counted({ count, children }: { readonly count: () => void; readonly children: ReactNode }): ReactNode {
  return (
    <Profiler id="counted" onRender={count}>
      {children}
    </Profiler>
  );
}
