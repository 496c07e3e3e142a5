import type { Json } from '@toolstream/proto-events';
import {
  checkedChannel,
  checkedReport,
  cleanText,
  type LogLevel,
  METRICS,
  type MetricCounts,
  type OutputBuffer,
  type ProgressCoalescer,
  type ProgressReport,
  type ToolArtifacts,
  ToolFailure,
  type ToolHost,
  type ToolWorkspace,
} from '@toolstream/tool-kit';
import type { AttemptStores } from '../adapters/stores.ts';
import type { AttemptLog } from './attempt-log.ts';
import type { HoldGate } from './hold-gate.ts';

export interface AttemptHostOptions {
  readonly gate: HoldGate;
  readonly log: AttemptLog;
  readonly progress: ProgressCoalescer;
  readonly output: OutputBuffer;
  readonly stores: AttemptStores;
  write(level: LogLevel, message: string, fields?: { [key: string]: Json }): void;
}

/** Output that a tool may pile up without awaiting; far above what awaiting ever leaves. */
const UNAWAITED_OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * The executor's end of a tool's context. Every call passes the gate, so a tool of a paused run waits here, and nothing
 * that a stopped or replaced attempt still asks for reaches the log or a store.
 */
export class AttemptHost implements ToolHost {
  readonly counts: MetricCounts = {};
  readonly workspace: ToolWorkspace;
  readonly artifacts: ToolArtifacts;
  readonly #options: AttemptHostOptions;

  constructor(options: AttemptHostOptions) {
    this.#options = options;
    const { gate, stores } = options;
    const { workspace, artifacts } = stores;
    // Once the attempt is stopped, nothing that it still asks for reaches a store.
    const allowed = async <T>(ask: () => Promise<T>): Promise<T> => {
      gate.check();
      return ask();
    };
    this.workspace = {
      list: (prefix, page) => allowed(() => workspace.list(prefix, page)),
      head: (path) => allowed(() => workspace.head(path)),
      read: (path) => allowed(() => workspace.read(path)),
      write: (path, bytes, write) => allowed(() => workspace.write(path, bytes, write)),
      delete: (path, options) => allowed(() => workspace.delete(path, options)),
      rename: (from, to, options) => allowed(() => workspace.rename(from, to, options)),
    };
    this.artifacts = {
      put: (source, options) => allowed(() => artifacts.put(source, options)),
      get: (ref) => allowed(() => artifacts.get(ref)),
    };
  }

  async progress(reports: ProgressReport[]): Promise<void> {
    const { gate, progress, log } = this.#options;
    gate.check();
    for (const report of reports) progress.report(checkedReport(report));
    log.wake();
    await gate.pass();
  }

  async output(channel: string, text: string): Promise<void> {
    const { gate, output, log } = this.#options;
    gate.check();
    if (output.heldBytes > UNAWAITED_OUTPUT_BYTES) {
      throw new ToolFailure({ code: 'output_overflow', message: 'The tool writes output without awaiting it.' });
    }
    output.write(checkedChannel(channel), cleanText(text), performance.now());
    log.wake();
    await gate.pass();
    if (output.isFull) await log.room();
  }

  async checkpoint(state: Json): Promise<void> {
    const { gate, log, stores } = this.#options;
    gate.check();
    await log.append('tool.checkpointed.v1', { state: await stores.fit(state) });
    await gate.pass({ checkpoint: true });
  }

  count(counts: MetricCounts): void {
    for (const name of METRICS) {
      const amount = counts[name];
      if (amount === undefined || !Number.isFinite(amount) || amount <= 0) continue;
      this.counts[name] = (this.counts[name] ?? 0) + Math.round(amount);
    }
  }

  log(level: LogLevel, message: string, fields?: { [key: string]: Json }): void {
    this.#options.write(level, message, fields);
  }
}
