import type { Json, RunCommandName } from '@toolstream/proto-events';
import { ToolstreamError } from './errors.ts';
import type { CommandFrame } from './http-commands.ts';
import { Timers } from './timers.ts';

export interface CommandArguments {
  readonly index?: number;
  readonly reason?: string;
  readonly arguments?: Json;
}
export interface CommandOptions {
  /**
   * The command's identity: issued twice, it is answered twice and done once. One of 16 characters or more is taken to be
   * unique for its user, and so holds over restarts of this process; a shorter one holds within this client.
   */
  readonly id?: string;
  readonly timeoutMs?: number;
}

interface Pending {
  readonly frame: CommandFrame;
  readonly answer: (cursor: string) => void;
  readonly refuse: (error: ToolstreamError) => void;
}

const PENDING_LIMIT = 256;
const TIMEOUT_MS = 30_000;

/**
 * Commands, whatever carries them. One that was sent into a connection that broke is sent again with the same id, if need be
 * over another transport, so a lost answer neither loses a command nor repeats it.
 */
export class Commands {
  readonly #pending = new Map<string, Pending>();
  readonly #timers = new Timers<string>();
  readonly #send: (frame: CommandFrame) => void;

  constructor(send: (frame: CommandFrame) => void) {
    this.#send = send;
  }

  get size(): number {
    return this.#pending.size;
  }

  isPending(id: string): boolean {
    return this.#pending.has(id);
  }

  issue(
    run: string,
    command: RunCommandName,
    args: CommandArguments,
    id: string,
    timeoutMs = TIMEOUT_MS,
  ): Promise<{ cursor: string }> {
    if (this.#pending.has(id)) {
      return Promise.reject(
        new ToolstreamError('duplicate_command', `A command with the id ${id} waits for its answer.`),
      );
    }
    if (this.#pending.size >= PENDING_LIMIT) {
      const message = `${PENDING_LIMIT} commands wait for an answer; wait for one of them.`;
      return Promise.reject(new ToolstreamError('too_many_commands', message));
    }
    const frame: CommandFrame = { type: 'command', id, run, command, args: { ...args } };
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { frame, answer: (cursor) => resolve({ cursor }), refuse: reject });
      this.#timers.set(id, timeoutMs, () => this.refused(id, unanswered(id, timeoutMs)));
      this.#send(frame);
    });
  }

  /** A new connection: everything unanswered goes out again, in the order it was issued. */
  resend(): void {
    for (const { frame } of this.#pending.values()) this.#send(frame);
  }

  answered(id: string, cursor: string): void {
    this.#take(id)?.answer(cursor);
  }

  refused(id: string, error: ToolstreamError): void {
    this.#take(id)?.refuse(error);
  }

  failAll(error: ToolstreamError): void {
    for (const id of [...this.#pending.keys()]) this.refused(id, error);
  }

  #take(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    this.#timers.stop(id);
    return pending;
  }
}

const unanswered = (id: string, ms: number): ToolstreamError =>
  new ToolstreamError(
    'timeout',
    `No answer within ${ms / 1000} s; the command may have been carried out. Issue it again with the id ${id} to find out.`,
  );
