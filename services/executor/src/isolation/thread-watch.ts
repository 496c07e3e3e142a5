import type { Worker } from 'node:worker_threads';
import { within } from '@toolstream/service-kit';
import { larger, type Usage } from './runner.ts';

const FIRST_LOOK_MS = 50;
const LONGEST_PAUSE_MS = 250;
/** A look that a thread does not answer (it is in one long native call, or ending) is given up. */
const LOOK_TIMEOUT_MS = 250;

/**
 * Looks at a thread from outside while a call runs in it, quick calls excepted. V8's own limit cannot be left to bound a
 * thread: one large allocation beyond it ends the whole process. So V8's lies far higher, and what a thread uses, buffers
 * outside its heap included, is measured often enough to end it in between.
 */
export class ThreadWatch {
  readonly #thread: Worker;
  readonly #cpuMsAtStart: number;
  readonly #limitBytes: number;
  readonly #onOver: () => void;
  #timer: NodeJS.Timeout | undefined;
  #usage: Usage = {};
  #ended = false;

  constructor(thread: Worker, cpuMsAtStart: number, limitBytes: number, onOver: () => void) {
    this.#thread = thread;
    this.#cpuMsAtStart = cpuMsAtStart;
    this.#limitBytes = limitBytes;
    this.#onOver = onOver;
    this.#lookIn(FIRST_LOOK_MS);
  }

  get usage(): Usage {
    return this.#usage;
  }

  /** Once more, before the thread is ended: it will not be able to say itself. */
  async look(): Promise<number> {
    try {
      const looked = Promise.all([this.#thread.getHeapStatistics(), this.#thread.cpuUsage()]);
      const found = await within(LOOK_TIMEOUT_MS, looked);
      if (!found) return 0;
      const [heap, cpu] = found;
      const bytes = heap.used_heap_size + heap.external_memory;
      this.#usage = {
        memoryPeakBytes: larger(this.#usage.memoryPeakBytes, bytes),
        cpuMs: (cpu.user + cpu.system) / 1000 - this.#cpuMsAtStart,
      };
      return bytes;
    } catch {
      return 0;
    }
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(() => void this.#lookAndGoOn(ms), ms);
  }

  async #lookAndGoOn(ms: number): Promise<void> {
    const bytes = await this.look();
    if (this.#ended) return;
    if (bytes > this.#limitBytes) return this.#onOver();
    this.#lookIn(bytes > this.#limitBytes / 2 ? FIRST_LOOK_MS : Math.min(LONGEST_PAUSE_MS, ms * 2));
  }
}
