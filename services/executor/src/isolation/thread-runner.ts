import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, type Worker } from 'node:worker_threads';
import { serveTool, taskOf } from './remote-execution.ts';
import { type Execution, type Invocation, ToolCrashed, type ToolRunner, ToolTerminated } from './runner.ts';
import { ThreadPool, type ThreadPoolOptions } from './thread-pool.ts';
import type { Channel, ToHost, ToTool } from './wire.ts';

/** How long the end of a destroyed thread is waited for. */
const EXIT_WAIT_MS = 2000;

/** Runs tools in a pool of worker threads. Ending a call that does not stop destroys its thread. */
export class ThreadRunner implements ToolRunner {
  readonly #pool: ThreadPool;

  constructor(options: ThreadPoolOptions) {
    this.#pool = new ThreadPool(options);
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
      thread = this.#pool.thread(threadId);
    });
    const kill = new AbortController();
    const ran = this.#pool.run({ port: port2, task: taskOf(invocation) }, kill.signal).then(
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

  close(): Promise<void> {
    return this.#pool.close();
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
