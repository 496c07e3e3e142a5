import { ProcessPool, type ProcessPoolOptions } from './process-pool.ts';
import { type RemoteAnswer, serveTool, taskOf } from './remote-execution.ts';
import {
  bytesOf,
  type Execution,
  type Invocation,
  larger,
  outOfMemory,
  ToolCrashed,
  type ToolRunner,
  ToolTerminated,
  type Usage,
} from './runner.ts';
import type { ProcessEnd, ToolProcess } from './tool-process.ts';
import { usageOfProcess } from './usage-meter.ts';
import type { Channel, ToHost, ToTool } from './wire.ts';

const LOOK_MS = 50;
/** A process that came to hold more than this share of what a call may have is not given another call. */
const KEPT_SHARE = 0.5;

/**
 * Runs tools in child processes: for those that may take a whole process down with them, or fill its memory outside the
 * heap too. Their memory is measured from outside while they run, and is bounded for all of the process.
 */
export class ProcessRunner implements ToolRunner {
  readonly #options: ProcessPoolOptions;
  /** By the memory that their processes may have. */
  readonly #pools = new Map<number, ProcessPool>();
  /** One timer looks at all that run. */
  readonly #running = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProcessPoolOptions) {
    this.#options = options;
    if (options.warmProcesses > 0) this.#poolFor(options.memoryMb);
  }

  start(invocation: Invocation): Execution {
    const memoryMb = invocation.tool.tool.memoryMb ?? this.#options.memoryMb;
    const pool = this.#poolFor(memoryMb);
    const wanted = pool.acquire();
    let call: ProcessCall | undefined;
    let why: Error | undefined;
    const run = async () => {
      let process: ToolProcess;
      try {
        process = await wanted.process;
      } catch (cause) {
        if (why) throw why;
        throw new ToolCrashed(`The process of the tool could not be started: ${(cause as Error).message}.`, { cause });
      }
      if (why) {
        pool.release(process, true);
        throw why;
      }
      call = new ProcessCall(process, invocation, memoryMb);
      const look = () => call?.look();
      this.#watch(look);
      let answered = false;
      try {
        const result = await call.result;
        answered = true;
        return result;
      } catch (error) {
        answered = call.isAnswered && !(error instanceof ToolCrashed);
        throw error;
      } finally {
        this.#unwatch(look);
        call.close();
        pool.release(process, answered && (call.usage.memoryPeakBytes ?? 0) < bytesOf(memoryMb) * KEPT_SHARE);
      }
    };
    return {
      result: run(),
      terminate() {
        why = new ToolTerminated('The process of the tool was ended.');
        wanted.giveUp(why);
        call?.end(why);
      },
      usage: () => call?.usage ?? {},
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  #watch(look: () => void): void {
    this.#running.add(look);
    this.#timer ??= setInterval(() => {
      for (const each of this.#running) each();
    }, LOOK_MS);
  }

  #unwatch(look: () => void): void {
    this.#running.delete(look);
    if (this.#running.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #poolFor(memoryMb: number): ProcessPool {
    const present = this.#pools.get(memoryMb);
    if (present) return present;
    const warm = memoryMb === this.#options.memoryMb ? {} : { warmProcesses: 0 };
    const made = new ProcessPool({ ...this.#options, ...warm, memoryMb });
    this.#pools.set(memoryMb, made);
    return made;
  }
}

/** One call in one process. */
class ProcessCall {
  readonly result: Promise<Awaited<RemoteAnswer['result']>>;
  readonly #process: ToolProcess;
  readonly #memoryMb: number;
  readonly #answer: RemoteAnswer;
  #cpuMsAtStart: number | undefined;
  #seen: Usage = {};
  #why: Error | undefined;
  #answered = false;

  constructor(process: ToolProcess, invocation: Invocation, memoryMb: number) {
    this.#process = process;
    this.#memoryMb = memoryMb;
    let listener = (_: ToHost): void => {};
    const channel: Channel<ToTool, ToHost> = {
      post: (message) => process.post(message),
      onMessage: (added) => (listener = added),
      close: () => {},
    };
    this.#answer = serveTool(channel, invocation, ({ cpuMs }) => {
      this.#cpuMsAtStart = cpuMs;
    });
    const answered = this.#answer.result.finally(() => {
      this.#answered = true;
    });
    const ended = new Promise<never>((_, reject) => {
      process.attend({
        onMessage: (message) => listener(message),
        onEnd: (end) => reject(this.#why ?? crash(end, memoryMb)),
      });
    });
    this.result = Promise.race([answered, ended]);
    process.post({ t: 'start', task: taskOf(invocation) });
  }

  /** Did the tool itself end, in whatever way, and leave its process for another call? */
  get isAnswered(): boolean {
    return this.#answered && !this.#why && !this.#process.hasEnded;
  }

  get usage(): Usage {
    const said = this.#answer.usage();
    return {
      memoryPeakBytes: said.memoryPeakBytes ?? this.#seen.memoryPeakBytes,
      cpuMs: larger(said.cpuMs, this.#seen.cpuMs),
    };
  }

  look(): void {
    const { pid } = this.#process;
    const from = this.#cpuMsAtStart;
    if (pid === undefined || from === undefined || this.#process.hasEnded) return;
    const seen = usageOfProcess(pid);
    if (!seen) return;
    this.#seen = { ...seen, cpuMs: Math.max(0, (seen.cpuMs ?? 0) - from) };
    if ((seen.memoryPeakBytes ?? 0) > bytesOf(this.#memoryMb)) this.end(outOfMemory('process', this.#memoryMb));
  }

  end(why: Error): void {
    if (this.#why) return;
    this.#why = why;
    this.look();
    this.#process.kill();
  }

  close(): void {
    this.#answer.close();
  }
}

function crash({ code, signal, heapExhausted }: ProcessEnd, memoryMb: number): ToolCrashed {
  if (heapExhausted) return outOfMemory('process', memoryMb);
  return new ToolCrashed(`The process of the tool ended without an answer (${signal ?? `code ${code}`}).`);
}
