import type { Json } from '@toolstream/proto-events';
import type { LogLevel, MetricCounts, MetricName, ToolHost } from '../context.ts';
import type { ProgressReport } from '../progress.ts';
import type { ToolArtifacts, ToolWorkspace } from '../stores.ts';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: { [key: string]: Json } | undefined;
}

/** Records what a tool reports and holds it where a paused run would. Values are copied as on the way to an executor. */
export class TestHost implements ToolHost {
  readonly reports: ProgressReport[] = [];
  readonly chunks: { readonly channel: string; readonly text: string }[] = [];
  readonly checkpoints: Json[] = [];
  readonly lines: LogLine[] = [];
  readonly counts: MetricCounts = {};
  readonly workspace: ToolWorkspace;
  readonly artifacts: ToolArtifacts;
  readonly #onReport: () => void;
  readonly #held: { resolve: () => void; reject: (reason: unknown) => void }[] = [];
  #paused = false;
  #stopped: Error | undefined;

  constructor(workspace: ToolWorkspace, artifacts: ToolArtifacts, onReport: () => void) {
    this.#onReport = onReport;
    const allowed =
      <A extends unknown[], T>(work: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        this.#check();
        return work(...args);
      };
    this.workspace = {
      list: allowed(workspace.list),
      head: allowed(workspace.head),
      read: allowed(workspace.read),
      write: allowed(workspace.write),
      delete: allowed(workspace.delete),
      rename: allowed(workspace.rename),
    };
    this.artifacts = { put: allowed(artifacts.put), get: allowed(artifacts.get) };
  }

  get isHeld(): boolean {
    return this.#held.length > 0;
  }

  async progress(reports: ProgressReport[]): Promise<void> {
    this.#check();
    this.reports.push(...structuredClone(reports));
    await this.#pass();
  }

  async output(channel: string, text: string): Promise<void> {
    this.#check();
    this.chunks.push({ channel, text });
    await this.#pass();
  }

  async checkpoint(state: Json): Promise<void> {
    this.#check();
    this.checkpoints.push(JSON.parse(JSON.stringify(state)) as Json);
    await this.#pass();
  }

  count(counts: MetricCounts): void {
    for (const [name, amount] of Object.entries(counts) as [MetricName, number][]) {
      this.counts[name] = (this.counts[name] ?? 0) + amount;
    }
  }

  log(level: LogLevel, message: string, fields?: { [key: string]: Json }): void {
    this.lines.push({ level, message, fields });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const { resolve } of this.#held.splice(0)) resolve();
  }

  /** From now on every call of the tool on its context throws this. */
  stop(reason: Error): void {
    this.#stopped ??= reason;
    for (const { reject } of this.#held.splice(0)) reject(reason);
  }

  #check(): void {
    if (this.#stopped) throw this.#stopped;
  }

  async #pass(): Promise<void> {
    this.#onReport();
    this.#check();
    if (this.#paused) await new Promise<void>((resolve, reject) => this.#held.push({ resolve, reject }));
  }
}
