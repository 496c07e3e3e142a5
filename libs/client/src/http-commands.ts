import type { ClientFrame } from '@toolstream/proto-events';
import { retryDelay } from './backoff.ts';
import type { ToolstreamError } from './errors.ts';
import { Timers } from './timers.ts';
import { judge } from './verdict.ts';

export type CommandFrame = Extract<ClientFrame, { type: 'command' }>;

export interface HttpCommandsOptions {
  /** One request, repeated as far as that is safe; resolves with the command's cursor. */
  post(frame: CommandFrame): Promise<{ cursor: string }>;
  random(): number;
  answered(frame: CommandFrame, cursor: string): void;
  refused(id: string, error: ToolstreamError): void;
  /** Whether anybody still waits for the answer. */
  isPending(id: string): boolean;
}

/**
 * Commands without a socket: a request each, one after the other for each run, as a socket would carry them out. The id is
 * the idempotency key, which the service takes for the same command whichever way it comes.
 */
export class HttpCommands {
  readonly #options: HttpCommandsOptions;
  readonly #queues = new Map<string, CommandFrame[]>();
  readonly #timers = new Timers<string>();

  constructor(options: HttpCommandsOptions) {
    this.#options = options;
  }

  carry(frame: CommandFrame): void {
    const queue = this.#queues.get(frame.run) ?? [];
    if (queue.some(({ id }) => id === frame.id)) return;
    queue.push(frame);
    this.#queues.set(frame.run, queue);
    if (queue.length === 1) void this.#advance(frame.run);
  }

  /** Something else carries commands from now on. A request under way still counts, whichever answer is first. */
  stop(): void {
    this.#timers.clear();
    this.#queues.clear();
  }

  async #advance(run: string): Promise<void> {
    const queue = this.#queues.get(run) ?? [];
    let attempt = 0;
    for (;;) {
      const frame = queue[0];
      const done = frame === undefined || !this.#options.isPending(frame.id) || (await this.#post(frame));
      if (this.#queues.get(run) !== queue) return;
      if (done) queue.shift();
      if (queue.length === 0) break;
      attempt = done ? 0 : attempt + 1;
      if (!done) await this.#pause(run, retryDelay(attempt - 1, this.#options.random()));
    }
    this.#queues.delete(run);
  }

  /** False: it has to be tried again. */
  async #post(frame: CommandFrame): Promise<boolean> {
    try {
      const { cursor } = await this.#options.post(frame);
      this.#options.answered(frame, cursor);
      return true;
    } catch (error) {
      const verdict = judge(error);
      if (verdict.what === 'unreached' || verdict.what === 'trouble') return false;
      this.#options.refused(frame.id, verdict.error);
      return true;
    }
  }

  #pause(run: string, ms: number): Promise<void> {
    return new Promise((resolve) => this.#timers.set(run, ms, resolve));
  }
}
