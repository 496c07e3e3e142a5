import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, type Worker } from 'node:worker_threads';
import { within } from '@toolstream/service-kit';
import { serveTool, taskOf } from './remote-execution.ts';
import {
  bytesOf,
  type Execution,
  type Invocation,
  larger,
  outOfMemory,
  ToolCrashed,
  type ToolRunner,
  ToolTerminated,
} from './runner.ts';
import { ThreadPool, type ThreadPoolOptions } from './thread-pool.ts';
import { ThreadWatch } from './thread-watch.ts';
import type { Channel, ToHost, ToTool } from './wire.ts';

/** How long the end of a destroyed thread is waited for. */
const EXIT_WAIT_MS = 2000;

/** Runs tools in worker threads. Ending a call that does not stop destroys its thread. */
export class ThreadRunner implements ToolRunner {
  readonly #options: ThreadPoolOptions;
  /** By the memory that their threads may have: most tools share the one of the executor's own limit. */
  readonly #pools = new Map<number, ThreadPool>();

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    this.#poolFor(options.memoryMb);
  }

  start(invocation: Invocation): Execution {
    const memoryMb = invocation.tool.tool.memoryMb ?? this.#options.memoryMb;
    const pool = this.#poolFor(memoryMb);
    const { port1, port2 } = new MessageChannel();
    const channel: Channel<ToTool, ToHost> = {
      post: (message) => port1.postMessage(message),
      onMessage: (listener) => port1.on('message', listener),
      close: () => port1.close(),
    };
    let watch: ThreadWatch | undefined;
    let thread: Worker | undefined;
    let gone: Promise<unknown> = Promise.resolve();
    let why: Error | undefined;
    const kill = new AbortController();
    const end = async (reason: Error) => {
      if (why) return;
      why = reason;
      await watch?.look();
      // An error on its way out (V8 may be out of memory too) does not change why it was ended.
      if (thread) gone = within(EXIT_WAIT_MS, once(thread, 'exit')).catch(() => {});
      kill.abort();
    };
    const answer = serveTool(channel, invocation, ({ threadId, cpuMs }) => {
      thread = pool.thread(threadId);
      if (!thread) return;
      watch = new ThreadWatch(thread, cpuMs, bytesOf(memoryMb), () => void end(outOfMemory('thread', memoryMb)));
    });
    const ran = pool.run({ port: port2, task: taskOf(invocation) }, kill.signal).then(
      // The thread has answered: its message is on its way through the task's own port.
      () => answer.result,
      async (cause: unknown) => {
        if (kill.signal.aborted) {
          await gone;
          throw why;
        }
        // Its last word, if it had one, is on its way through the task's own port.
        await sleep(5);
        throw crash(cause, memoryMb);
      },
    );
    return {
      result: Promise.race([answer.result, ran]).finally(() => {
        watch?.end();
        answer.close();
      }),
      terminate: () => void end(new ToolTerminated('The thread of the tool was ended.')),
      usage() {
        const said = answer.usage();
        const seen = watch?.usage;
        return {
          memoryPeakBytes: larger(said.memoryPeakBytes, seen?.memoryPeakBytes),
          cpuMs: larger(said.cpuMs, seen?.cpuMs),
        };
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  #poolFor(memoryMb: number): ThreadPool {
    const present = this.#pools.get(memoryMb);
    if (present) return present;
    const common = memoryMb === this.#options.memoryMb;
    const warm = common ? {} : { warmThreads: 0 };
    const made = new ThreadPool({ ...this.#options, ...warm, memoryMb });
    this.#pools.set(memoryMb, made);
    return made;
  }
}

function crash(cause: unknown, memoryMb: number): ToolCrashed {
  if ((cause as { code?: string } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return outOfMemory('thread', memoryMb, cause);
  }
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ToolCrashed(`The thread of the tool ended without an answer: ${message}`, { cause });
}
