import { getHeapStatistics } from 'node:v8';
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

/**
 * The tool's side of a thread or process: a host whose every call is a message to the executor. Progress and output
 * have one message in flight each; what comes meanwhile is kept here, in the tool's own memory, so a tool that never
 * awaits fills its own heap and not the executor's.
 */
export class RemoteHost implements ToolHost {
  readonly workspace: ToolWorkspace;
  readonly artifacts: ToolArtifacts;
  readonly #channel: Channel<ToHost, ToTool>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #reports = new ProgressQueue();
  readonly #chunks: [channel: string, text: string][] = [];
  #nextId = 0;
  #progressing: Promise<void> | undefined;
  #outputting: Promise<void> | undefined;
  #counts: MetricCounts = {};
  #peak = 0;

  constructor(channel: Channel<ToHost, ToTool>) {
    this.#channel = channel;
    this.workspace = {
      list: (prefix, options) => this.#call('list', [prefix, options]),
      head: (path) => this.#call('head', [path]),
      read: (path) => this.#call('read', [path]),
      write: (path, bytes, options) => this.#write(path, bytes, options),
      delete: (path, options) => this.#call('delete', [path, options]),
      rename: (from, to, options) => this.#call('rename', [from, to, options]),
    };
    this.artifacts = {
      put: (source, options) => this.#putArtifact(source, options),
      get: (ref: ArtifactRef) => this.#call('getArtifact', [ref]),
    };
    this.#measure();
  }

  get memoryPeakBytes(): number {
    this.#measure();
    return this.#peak;
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

  progress(reports: ProgressReport[]): Promise<void> {
    for (const report of reports) this.#reports.push(report);
    this.#progressing ??= this.#sendProgress().finally(() => (this.#progressing = undefined));
    return this.#progressing;
  }

  output(channel: string, text: string): Promise<void> {
    this.#chunks.push([channel, text]);
    this.#outputting ??= this.#sendOutput().finally(() => (this.#outputting = undefined));
    return this.#outputting;
  }

  checkpoint(state: Json): Promise<void> {
    return this.#call('checkpoint', [state]);
  }

  count(counts: MetricCounts): void {
    for (const [name, amount] of Object.entries(counts) as [MetricName, number][]) {
      this.#counts[name] = (this.#counts[name] ?? 0) + amount;
    }
  }

  log(level: LogLevel, message: string, fields?: { [key: string]: Json }): void {
    this.#channel.post({ t: 'log', level, message, ...(fields === undefined ? {} : { fields }) });
  }

  /** Sends what the tool did not wait for. Called once it has ended, before its result. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#progressing, this.#outputting]);
    this.#sendCounts();
  }

  async #sendProgress(): Promise<void> {
    while (this.#reports.size > 0) await this.#call('progress', [this.#reports.takeAll()]);
  }

  async #sendOutput(): Promise<void> {
    while (this.#chunks.length > 0) await this.#call('output', [this.#chunks.splice(0)]);
  }

  #write(path: string, bytes: Uint8Array, { expectedRevision, meta, onBytes }: WriteOptions) {
    const options = { expectedRevision, measured: onBytes !== undefined, ...(meta === undefined ? {} : { meta }) };
    const measured = onBytes && ((written: number) => onBytes(written, bytes.byteLength));
    return this.#call('write', [path, compact(bytes), options], { onBytes: measured });
  }

  #putArtifact(source: ArtifactSource, { contentType, onBytes }: PutArtifactOptions = {}): Promise<ArtifactRef> {
    const options = { measured: onBytes !== undefined, ...(contentType === undefined ? {} : { contentType }) };
    if (typeof source === 'string') return this.#call('putArtifact', [Buffer.from(source), options], { onBytes });
    if (source instanceof Uint8Array) return this.#call('putArtifact', [compact(source), options], { onBytes });
    const pieces = source[Symbol.asyncIterator]();
    return this.#call('putArtifact', [undefined, options], { onBytes, pieces });
  }

  async #sendPiece(id: number, { pieces }: Waiting): Promise<void> {
    try {
      const next = await pieces?.next();
      const bytes = next?.done === false ? compact(next.value) : undefined;
      this.#channel.post({ t: 'piece', id, bytes });
    } catch (error) {
      this.#channel.post({ t: 'broken', id, error: toWireError(error) });
    }
  }

  #call<O extends Operation>(
    op: O,
    args: Operations[O]['args'],
    stream: Pick<Waiting, 'onBytes' | 'pieces'> = {},
  ): Promise<Operations[O]['value']> {
    this.#measure();
    this.#sendCounts();
    const id = this.#nextId++;
    return new Promise<Operations[O]['value']>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, ...stream });
      this.#channel.post({ t: 'call', id, op, args });
    });
  }

  #sendCounts(): void {
    if (Object.keys(this.#counts).length === 0) return;
    this.#channel.post({ t: 'count', counts: this.#counts });
    this.#counts = {};
  }

  #measure(): void {
    const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
    this.#peak = Math.max(this.#peak, heap + external);
  }
}

/** A message carries the whole buffer that a view lies in. */
const compact = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
