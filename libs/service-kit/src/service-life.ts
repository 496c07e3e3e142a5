import { ConfigError, EXIT_CONFIG } from './config.ts';
import { asError } from './errors.ts';
import type { ReadyReport } from './health.ts';
import type { Logger } from './logger.ts';

export interface RunningService {
  /** Port of the service's own door, told to the parent process; without one the health server's port is told. */
  readonly port?: number;
  ready?(): ReadyReport | Promise<ReadyReport>;
  stop(): void | Promise<void>;
}

type StopReason = 'SIGTERM' | 'SIGINT' | 'parent gone';

/** Begins and carries out the one orderly stop of a process, and ends it hard where nothing else is left. */
export class ServiceLife {
  readonly #log: Logger;
  readonly #stopTimeoutMs: number;
  readonly #abort = new AbortController();
  readonly #stops: (() => void | Promise<void>)[] = [];
  readonly #lasts: (() => void | Promise<void>)[] = [];
  #running: RunningService | undefined;

  constructor(log: Logger, stopTimeoutMs: number) {
    this.#log = log;
    this.#stopTimeoutMs = stopTimeoutMs;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Signals that repeat are ignored: a terminal's Ctrl-C reaches every process, and the supervisor signals them too. */
  listen(): void {
    process.on('uncaughtException', (error) => this.fail(error, 'uncaught exception'));
    process.on('unhandledRejection', (reason) => this.fail(reason, 'unhandled rejection'));
    process.on('SIGTERM', () => this.#stop('SIGTERM'));
    process.on('SIGINT', () => this.#stop('SIGINT'));
    if (typeof process.send !== 'function') return;
    process.on('disconnect', () => this.#stop('parent gone'));
    if (!process.connected) this.#stop('parent gone');
  }

  onStop(stop: () => void | Promise<void>): void {
    this.#stops.push(stop);
  }

  /** For what the kit itself has opened: closed after everything that the service registered. */
  onLast(stop: () => void | Promise<void>): void {
    this.#lasts.push(stop);
  }

  started(running: RunningService): void {
    this.#running = running;
  }

  throwIfStopping(): void {
    this.signal.throwIfAborted();
  }

  /** Nothing can be assumed to work any more: no orderly stop, the log line and out. */
  fail(error: unknown, text: string): never {
    this.#log.fatal({ error: asError(error) }, text);
    process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
  }

  async abandonStart(): Promise<void> {
    const deadline = setTimeout(() => process.exit(1), Math.min(this.#stopTimeoutMs, 5_000));
    this.#abort.abort(new Error('stopping: the start failed'));
    await this.#close();
    clearTimeout(deadline);
  }

  #stop(reason: StopReason): void {
    if (this.signal.aborted) return;
    this.#log.info({ reason }, 'stopping');
    setTimeout(() => {
      this.#log.fatal({ reason, afterMs: this.#stopTimeoutMs }, 'did not stop in time');
      process.exit(1);
    }, this.#stopTimeoutMs);
    this.#abort.abort(new Error(`stopping: ${reason}`));
    void this.#close().then((clean) => {
      this.#log.info({ reason, clean }, 'stopped');
      process.exit(clean ? 0 : 1);
    });
  }

  /** Everything is closed even when one part fails; that failure is logged and makes the exit code 1. */
  async #close(): Promise<boolean> {
    let clean = true;
    const attempt = async (stop: () => void | Promise<void>) => {
      try {
        await stop();
      } catch (error) {
        clean = false;
        this.#log.error({ error: asError(error) }, 'a part did not stop properly');
      }
    };
    const running = this.#running;
    if (running) await attempt(() => running.stop());
    for (const list of [this.#stops, this.#lasts]) {
      for (let stop = list.pop(); stop !== undefined; stop = list.pop()) await attempt(stop);
    }
    return clean;
  }
}
