import { availableParallelism } from 'node:os';
import { ToolProcess, type ToolProcessOptions } from './tool-process.ts';

export interface ProcessPoolOptions extends ToolProcessOptions {
  /** As many as there are slots: a slow tool never makes another wait for a process. */
  readonly maxProcesses: number;
  /** Kept ready, with the tools' modules loaded: a new one takes a good part of a second to get there. */
  readonly warmProcesses: number;
}

interface Waiting {
  resolve(process: ToolProcess): void;
  reject(error: unknown): void;
}

export interface Wanted {
  readonly process: Promise<ToolProcess>;
  /** The process, if it still comes, is for somebody else. */
  giveUp(reason: Error): void;
}

/** As for threads: a burst of quick calls is not worth starting processes that are hardly needed then. */
const WORTH_WAITING_MS = 50;
const IDLE_PROCESS_MS = 60_000;
/** What calls leave behind in a process adds up. */
const CALLS_PER_PROCESS = 1000;
const RESTART_WAIT_MS = 1000;

/**
 * Child processes for tools, one call at a time each. A process whose call ended well serves the next one; any other, and
 * one that has grown, is replaced. A call that finds none free waits while others keep ending, else starts one more.
 */
export class ProcessPool {
  readonly #options: ProcessPoolOptions;
  readonly #idle: ToolProcess[] = [];
  readonly #all = new Set<ToolProcess>();
  readonly #waiting: Waiting[] = [];
  #starting = 0;
  #lastEnd = 0;
  #patience: NodeJS.Timeout | undefined;
  readonly #idleTimer: NodeJS.Timeout;
  #closed = false;

  constructor(options: ProcessPoolOptions) {
    this.#options = options;
    this.#idleTimer = setInterval(() => this.#endOneIdle(), IDLE_PROCESS_MS / 4).unref();
    this.#keepWarm();
  }

  acquire(): Wanted {
    let waiting: Waiting | undefined;
    const process = new Promise<ToolProcess>((resolve, reject) => {
      waiting = { resolve, reject };
      this.#waiting.push(waiting);
    });
    process.catch(() => {});
    this.#next();
    return {
      process,
      giveUp: (reason) => {
        const at = waiting ? this.#waiting.indexOf(waiting) : -1;
        if (at >= 0) this.#waiting.splice(at, 1)[0]?.reject(reason);
      },
    };
  }

  /** Gives a process back: `reusable` if its call ended by its own answer and left it as it was. */
  release(process: ToolProcess, reusable: boolean): void {
    this.#lastEnd = performance.now();
    process.attend(undefined);
    process.calls += 1;
    if (reusable && !process.hasEnded && !this.#closed && process.calls < CALLS_PER_PROCESS) this.#idle.push(process);
    else process.kill();
    this.#next();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#patience);
    clearInterval(this.#idleTimer);
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('the executor stops'));
    const ended = [...this.#all].map((process) => {
      process.kill();
      return process.ended;
    });
    await Promise.all(ended);
  }

  #next(): void {
    clearTimeout(this.#patience);
    while (this.#waiting.length > 0) {
      const idle = this.#idle.pop();
      if (!idle) {
        this.#startAnother();
        return;
      }
      if (idle.hasEnded) continue;
      this.#waiting.shift()?.resolve(idle);
    }
  }

  #startAnother(): void {
    const { maxProcesses } = this.#options;
    // Those that start will serve those that wait.
    if (this.#closed || this.#starting >= Math.min(this.#waiting.length, availableParallelism())) return;
    if (this.#all.size >= maxProcesses) return;
    const patience = this.#lastEnd + WORTH_WAITING_MS - performance.now();
    if (this.#all.size > this.#starting && patience > 0) {
      this.#patience = setTimeout(() => this.#next(), patience);
      return;
    }
    void this.#start();
    this.#next();
  }

  async #start(): Promise<void> {
    const process = new ToolProcess(this.#options);
    this.#all.add(process);
    this.#starting += 1;
    void process.ended.then(() => this.#onEnded(process));
    try {
      await process.ready;
      this.#starting -= 1;
      this.#idle.push(process);
    } catch (error) {
      this.#starting -= 1;
      this.#waiting.shift()?.reject(error);
    }
    this.#next();
  }

  #onEnded(process: ToolProcess): void {
    this.#all.delete(process);
    const at = this.#idle.indexOf(process);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#closed) return;
    this.#next();
    // One that cannot even start is not tried over and over again.
    if (process.calls > 0) this.#keepWarm();
    else setTimeout(() => this.#keepWarm(), RESTART_WAIT_MS).unref();
  }

  #keepWarm(): void {
    const { warmProcesses, maxProcesses } = this.#options;
    while (!this.#closed && this.#all.size < Math.min(warmProcesses, maxProcesses)) void this.#start();
  }

  /** The oldest first; a burst's processes go one by one. */
  #endOneIdle(): void {
    if (this.#idle.length > 1 && this.#all.size > this.#options.warmProcesses) this.#idle.shift()?.kill();
  }
}
