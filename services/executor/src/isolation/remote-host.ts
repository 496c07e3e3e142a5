import type { ArtifactRef, Json } from '@toolstream/proto-events';
import {
  type ArtifactSource,
  type LogLevel,
  type MetricCounts,
  type MetricName,
  ProgressQueue,
  type ProgressReport,
  type PutArtifactOptions,
  type ToolArtifacts,
  type ToolHost,
  type ToolWorkspace,
  type WriteOptions,
} from '@toolstream/tool-kit';
import { Allowance } from './allowance.ts';
import { ToolLines } from './tool-log.ts';
import { ToolPrints } from './tool-prints.ts';
import type { UsageMeter } from './usage-meter.ts';
import {
  type Channel,
  fromWireError,
  type Operation,
  type Operations,
  type ToHost,
  type ToTool,
  toWireError,
} from './wire.ts';

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  onBytes?: ((written: number, total: number | undefined) => void) | undefined;
  /** What the executor pulls. */
  pieces?: AsyncIterator<Uint8Array> | undefined;
}

/** Calls of one tool that the executor works on at once; the others wait here. */
const CALLS_AT_ONCE = 64;
/** Messages with progress that go at once, and a second: the executor makes at most 30 events of a second's reports. */
const PROGRESS_BURST = 50;
const PROGRESS_PER_SECOND = 100;
const LATE_PROGRESS_MS = 20;

/**
 * The tool's side of a thread or process: a host whose every call is a message to the executor. Whatever a tool does,
 * the executor holds little of it: progress and output have one message in flight each, other calls a few; what comes
 * meanwhile is kept here, in the tool's own memory.
 */
export class RemoteHost implements ToolHost {
  readonly workspace: ToolWorkspace;
  readonly artifacts: ToolArtifacts;
  readonly #channel: Channel<ToHost, ToTool>;
  readonly #meter: UsageMeter;
  readonly #waiting = new Map<number, Waiting>();
  readonly #turns: (() => void)[] = [];
  readonly #reports = new ProgressQueue();
  readonly #progressAllowance = new Allowance(PROGRESS_BURST, PROGRESS_PER_SECOND);
  readonly #chunks: [channel: string, text: string][] = [];
  readonly #prints = new ToolPrints();
  readonly #lines = new ToolLines();
  #lateProgress: NodeJS.Timeout | undefined;
  #nextId = 0;
  #calling = 0;
  #progressing: Promise<void> | undefined;
  #outputting: Promise<void> | undefined;
  #counts: MetricCounts = {};
  #closed = false;

  constructor(channel: Channel<ToHost, ToTool>, meter: UsageMeter) {
    this.#channel = channel;
    this.#meter = meter;
    this.workspace = {
      list: (prefix, options) => this.#inTurn('list', [prefix, options]),
      head: (path) => this.#inTurn('head', [path]),
      read: (path) => this.#inTurn('read', [path]),
      write: (path, bytes, options) => this.#write(path, bytes, options),
      delete: (path, options) => this.#inTurn('delete', [path, options]),
      rename: (from, to, options) => this.#inTurn('rename', [from, to, options]),
    };
    this.artifacts = {
      put: (source, options) => this.#putArtifact(source, options),
      get: (ref: ArtifactRef) => this.#inTurn('getArtifact', [ref]),
    };
  }

  /** The call has ended: nothing that it left behind is sent any more. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Answers from the executor; returns false for messages that are not for the host. */
  receive(message: ToTool): boolean {
    if (message.t === 'start' || message.t === 'abort') return false;
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return true;
    if (message.t === 'pull') void this.#sendPiece(message.id, waiting);
    else if (message.t === 'bytes') waiting.onBytes?.(message.written, message.total);
    else {
      this.#waiting.delete(message.id);
      waiting.pieces?.return?.().catch(() => {});
      if (message.t === 'value') waiting.resolve(message.value);
      else waiting.reject(fromWireError(message.error));
    }
    return true;
  }

  /** A tool that reports more often than anybody can see goes on at once, and its newest report follows. */
  progress(reports: ProgressReport[]): Promise<void> {
    for (const report of reports) this.#reports.push(report);
    if (this.#progressing !== undefined) return this.#progressing;
    if (this.#progressAllowance.take()) return this.#startProgress();
    this.#lateProgress ??= setTimeout(() => this.#startProgress(), LATE_PROGRESS_MS);
    return Promise.resolve();
  }

  output(channel: string, text: string): Promise<void> {
    this.#chunks.push([channel, text]);
    return this.#startOutput();
  }

  /** What the tool printed instead of passing it to `output`. Nobody waits for it, so it is bounded here. */
  print(channel: 'stdout' | 'stderr', chunk: string | Uint8Array): void {
    if (this.#closed) return;
    this.#prints.add(channel, chunk);
    void this.#startOutput();
  }

  checkpoint(state: Json): Promise<void> {
    return this.#inTurn('checkpoint', [state]);
  }

  count(counts: MetricCounts): void {
    for (const [name, amount] of Object.entries(counts) as [MetricName, number][]) {
      this.#counts[name] = (this.#counts[name] ?? 0) + amount;
    }
  }

  log(level: LogLevel, message: string, fields?: { [key: string]: Json }): void {
    const line = this.#lines.line(level, message, fields);
    if (line) this.#post(line);
  }

  /** Sends what the tool did not wait for. Called once it has ended, before its result. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#progressing, this.#outputting]);
    await Promise.allSettled([this.#startProgress(), this.#startOutput()]);
    this.#sendCounts();
  }

  /** Says how the call ended; nothing is sent after that. */
  end(message: Extract<ToHost, { t: 'done' | 'failed' | 'crashed' }>): void {
    this.#post(message);
    this.#closed = true;
  }

  /** Nothing handled this error of the tool. */
  crash(error: unknown): void {
    const wire = toWireError(error);
    this.end({ t: 'crashed', message: wire.k === 'error' ? `${wire.name}: ${wire.message}` : wire.message });
  }

  #startProgress(): Promise<void> {
    clearTimeout(this.#lateProgress);
    this.#lateProgress = undefined;
    const sending = this.#progressing ?? this.#sendProgress().finally(() => (this.#progressing = undefined));
    this.#progressing = sending;
    // The one that starts it may be a timer, or the tool that does not wait.
    sending.catch(() => {});
    return sending;
  }

  #startOutput(): Promise<void> {
    const sending = this.#outputting ?? this.#sendOutput().finally(() => (this.#outputting = undefined));
    this.#outputting = sending;
    sending.catch(() => {});
    return sending;
  }

  async #sendProgress(): Promise<void> {
    while (this.#reports.size > 0) await this.#call('progress', [this.#reports.takeAll()]);
  }

  async #sendOutput(): Promise<void> {
    for (;;) {
      const chunks = [...this.#chunks.splice(0), ...this.#prints.take()];
      if (chunks.length === 0) return;
      await this.#call('output', [chunks]);
    }
  }

  #write(path: string, bytes: Uint8Array, { expectedRevision, meta, onBytes }: WriteOptions) {
    const options = { expectedRevision, measured: onBytes !== undefined, ...(meta === undefined ? {} : { meta }) };
    const measured = onBytes && ((written: number) => onBytes(written, bytes.byteLength));
    return this.#inTurn('write', [path, compact(bytes), options], { onBytes: measured });
  }

  #putArtifact(source: ArtifactSource, { contentType, onBytes }: PutArtifactOptions = {}): Promise<ArtifactRef> {
    const options = { measured: onBytes !== undefined, ...(contentType === undefined ? {} : { contentType }) };
    if (typeof source === 'string') return this.#inTurn('putArtifact', [Buffer.from(source), options], { onBytes });
    if (source instanceof Uint8Array) return this.#inTurn('putArtifact', [compact(source), options], { onBytes });
    const pieces = source[Symbol.asyncIterator]();
    return this.#inTurn('putArtifact', [undefined, options], { onBytes, pieces });
  }

  async #sendPiece(id: number, { pieces }: Waiting): Promise<void> {
    try {
      const next = await pieces?.next();
      const bytes = next?.done === false ? compact(next.value) : undefined;
      this.#post({ t: 'piece', id, bytes });
    } catch (error) {
      this.#post({ t: 'broken', id, error: toWireError(error) });
    }
  }

  async #inTurn<O extends Operation>(
    op: O,
    args: Operations[O]['args'],
    stream: Pick<Waiting, 'onBytes' | 'pieces'> = {},
  ): Promise<Operations[O]['value']> {
    while (this.#calling >= CALLS_AT_ONCE) await new Promise<void>((resolve) => this.#turns.push(resolve));
    this.#calling += 1;
    try {
      return await this.#call(op, args, stream);
    } finally {
      this.#calling -= 1;
      this.#turns.shift()?.();
    }
  }

  #call<O extends Operation>(
    op: O,
    args: Operations[O]['args'],
    stream: Pick<Waiting, 'onBytes' | 'pieces'> = {},
  ): Promise<Operations[O]['value']> {
    this.#meter.sample();
    this.#sendCounts();
    const id = this.#nextId++;
    return new Promise<Operations[O]['value']>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, ...stream });
      try {
        this.#post({ t: 'call', id, op, args });
      } catch (error) {
        this.#waiting.delete(id);
        throw error;
      }
    });
  }

  #sendCounts(): void {
    if (Object.keys(this.#counts).length === 0) return;
    this.#post({ t: 'count', counts: this.#counts });
    this.#counts = {};
  }

  #post(message: ToHost): void {
    if (!this.#closed) this.#channel.post(message);
  }
}

/** A message carries the whole buffer that a view lies in. */
const compact = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
