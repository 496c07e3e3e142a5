import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MessageChannel, type Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { serveTool, taskOf } from './remote-execution.ts';
import { type Execution, type Invocation, ToolCrashed, type ToolRunner, ToolTerminated } from './runner.ts';
import { childExecArgv, siblingModule } from './source-mode.ts';
import type { ThreadTask } from './thread-entry.ts';
import type { Channel, ToHost, ToTool } from './wire.ts';

export interface ThreadRunnerOptions {
  /** As many as there are slots: a slow tool never makes another wait for a thread. */
  readonly maxThreads: number;
  /** Kept ready, with the tools' modules loaded. */
  readonly warmThreads: number;
  readonly heapMb: number;
  /** Modules that every thread loads at its start. */
  readonly modules: readonly string[];
  onError(error: unknown): void;
}

/** A thread costs a fifth of a second of computing to start: a call waits this long for one that is about to be free. */
const WAIT_FOR_THREAD_MS = 50;
const IDLE_THREAD_MS = 60_000;
const EXIT_WAIT_MS = 2000;

/**
 * Runs tools in a pool of worker threads. Ending a call that does not stop destroys its thread and no other: piscina
 * does that when a running task's signal aborts.
 */
export class ThreadRunner implements ToolRunner {
  readonly #pool: Piscina<ThreadTask, void>;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: ThreadRunnerOptions) {
    const { maxThreads, warmThreads, heapMb, modules } = options;
    this.#pool = new Piscina({
      filename: fileURLToPath(siblingModule('./thread-entry')),
      minThreads: Math.min(maxThreads, warmThreads),
      maxThreads,
      idleTimeout: IDLE_THREAD_MS,
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
      execArgv: childExecArgv,
      workerData: { modules },
      recordTiming: false,
    });
    this.#pool.on('error', options.onError);
  }

  start(invocation: Invocation): Execution {
    const { port1, port2 } = new MessageChannel();
    const channel: Channel<ToTool, ToHost> = {
      post: (message) => port1.postMessage(message),
      onMessage: (listener) => port1.on('message', listener),
      close: () => port1.close(),
    };
    let thread: Worker | undefined;
    let gone: Promise<unknown> = Promise.resolve();
    const answer = serveTool(channel, invocation, (threadId) => {
      thread = this.#pool.threads.find((worker) => worker.threadId === threadId);
    });
    const kill = new AbortController();
    const ran = this.#run({ port: port2, task: taskOf(invocation) }, kill.signal).then(
      // The thread has answered: its message is on its way through the task's own port.
      () => answer.result,
      async (cause: unknown) => {
        if (!kill.signal.aborted) throw crash(cause);
        await gone;
        throw new ToolTerminated('The thread of the tool was ended.');
      },
    );
    return {
      result: Promise.race([answer.result, ran]).finally(() => answer.close()),
      terminate() {
        if (thread) gone = Promise.race([once(thread, 'exit'), sleep(EXIT_WAIT_MS, undefined, { ref: false })]);
        kill.abort();
      },
      memoryPeakBytes: answer.memoryPeakBytes,
    };
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #run(task: ThreadTask, signal: AbortSignal): Promise<void> {
    await this.#turn(signal);
    this.#running += 1;
    try {
      await this.#pool.run(task, { signal, transferList: [task.port] });
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** Resolves when a thread is free, or when waiting for one takes longer than it is worth and another may be started. */
  #turn(signal: AbortSignal): Promise<void> {
    if (this.#running < this.#pool.threads.length && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', go);
        const at = this.#waiting.indexOf(go);
        if (at >= 0) this.#waiting.splice(at, 1);
        resolve();
      };
      const timer = setTimeout(go, WAIT_FOR_THREAD_MS);
      signal.addEventListener('abort', go, { once: true });
      this.#waiting.push(go);
    });
  }
}

function crash(cause: unknown): ToolCrashed {
  const outOfMemory = (cause as { code?: string } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ToolCrashed(
    outOfMemory
      ? 'The tool needed more memory than its thread may have.'
      : `The thread of the tool ended without an answer: ${message}`,
    { repeats: outOfMemory, cause },
  );
}
