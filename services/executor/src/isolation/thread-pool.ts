import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { childExecArgv, siblingModule } from './source-mode.ts';
import type { ThreadTask } from './thread-entry.ts';

export interface ThreadPoolOptions {
  /** As many as there are slots: a slow tool never makes another wait for a thread. */
  readonly maxThreads: number;
  /** Kept ready, with the tools' modules loaded. */
  readonly warmThreads: number;
  /** Of each thread's heap and the buffers that it holds. */
  readonly memoryMb: number;
  /** Modules that every thread loads at its start. */
  readonly modules: readonly string[];
  onError(error: unknown): void;
}

interface Waiting {
  readonly task: ThreadTask;
  readonly signal: AbortSignal;
  resolve(run: Promise<void>): void;
}

/** A thread costs a fifth of a second of computing to start: not worth it while running calls keep ending this quickly. */
const WORTH_WAITING_MS = 50;
const IDLE_THREAD_MS = 60_000;
/** Between a thread's limit, which is measured, and V8's, beyond which an allocation may end the whole process. */
const HEADROOM_MB = 2048;

/**
 * piscina's pool, grown with restraint. piscina starts a thread for every call that finds none free; a burst of quick
 * calls would spend seconds starting threads that it then hardly needs. Here a call that finds none free waits while
 * others keep ending, and no more threads start at once than there are processors to start them.
 */
export class ThreadPool {
  readonly #pool: Piscina<ThreadTask, void>;
  readonly #maxThreads: number;
  readonly #waiting: Waiting[] = [];
  #running = 0;
  #starting = 0;
  #lastEnd = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ maxThreads, warmThreads, memoryMb, modules, onError }: ThreadPoolOptions) {
    this.#maxThreads = maxThreads;
    this.#pool = new Piscina({
      filename: fileURLToPath(siblingModule('./thread-entry')),
      minThreads: Math.min(maxThreads, warmThreads),
      maxThreads,
      idleTimeout: IDLE_THREAD_MS,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb + HEADROOM_MB },
      execArgv: childExecArgv,
      workerData: { modules },
      recordTiming: false,
    });
    this.#pool.on('workerCreate', () => this.#started());
    this.#pool.on('error', (error) => {
      this.#started();
      onError(error);
    });
  }

  /** Runs a task when a thread is free for it. An abort of the signal destroys the thread that runs it, and no other. */
  async run(task: ThreadTask, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = { task, signal, resolve };
      this.#waiting.push(waiting);
      const giveUp = () => {
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#start(this.#waiting.splice(at, 1)[0] as Waiting);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#next();
    });
  }

  thread(threadId: number): Worker | undefined {
    return this.#pool.threads.find((worker) => worker.threadId === threadId);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#pool.destroy();
  }

  #next(): void {
    clearTimeout(this.#timer);
    for (let head = this.#waiting[0]; head; head = this.#waiting[0]) {
      const threads = this.#pool.threads.length;
      if (this.#running >= threads) {
        const patience = this.#lastEnd + WORTH_WAITING_MS - performance.now();
        if (threads >= this.#maxThreads || this.#starting >= availableParallelism()) return;
        if (threads > 0 && patience > 0) {
          this.#timer = setTimeout(() => this.#next(), patience);
          return;
        }
        this.#starting += 1;
      }
      this.#waiting.shift();
      this.#start(head);
    }
  }

  #start({ task, signal, resolve }: Waiting): void {
    this.#running += 1;
    const ran = this.#pool.run(task, { signal, transferList: [task.port] }).finally(() => {
      this.#running -= 1;
      this.#lastEnd = performance.now();
      this.#next();
    });
    resolve(ran);
  }

  #started(): void {
    this.#starting = Math.max(0, this.#starting - 1);
    this.#next();
  }
}
