import { setTimeout as sleep } from 'node:timers/promises';
import type { ElicitRequest, ElicitResult, Tool } from '@modelcontextprotocol/client';
import type { Logger } from '@toolstream/service-kit';
import type { McpServerConfig } from './config.ts';
import { McpConnection } from './connection.ts';
import { unavailable } from './failures.ts';
import { Turn } from './turn.ts';

export interface McpServerOptions {
  readonly config: McpServerConfig;
  readonly logger: Logger;
  /** The tools as the server lists them now. */
  onTools(tools: readonly Tool[]): void;
}

export type AnswerElicitation = (params: ElicitRequest['params']) => ElicitResult;

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;
/** A call that waits shortens the wait to this. */
const HURRIED_WAIT_MS = 1_000;
/** A connection that lived for so long begins with short waits again. */
const SOUND_MS = 30_000;
/** A call waits for a server that is away for so long before it fails, retryably. */
const CALL_WAIT_MS = 5_000;

/** One server of the configuration: connected as long as that is possible, and again whenever it was not. */
export class McpServer {
  readonly name: string;
  /** Held by a call during which the server may ask. */
  readonly turn = new Turn();
  readonly #options: McpServerOptions;
  readonly #waiting = new Set<(connection: McpConnection) => void>();
  readonly #stop = new AbortController();
  readonly #tried = Promise.withResolvers<void>();
  #connection: McpConnection | undefined;
  #hurry: () => void = () => {};
  #problem = 'it has not answered yet';
  #answer: AnswerElicitation | undefined;
  #living: Promise<void> | undefined;

  constructor(options: McpServerOptions) {
    this.#options = options;
    this.name = options.config.name;
  }

  start(): void {
    this.#living ??= this.#live();
  }

  /** Settled when the first attempt to connect has come to its end, good or bad. */
  get tried(): Promise<void> {
    return this.#tried.promise;
  }

  get asks(): boolean {
    return this.#options.config.elicitation === 'approval';
  }

  /** Why it cannot be called now; `undefined` when it can. */
  get problem(): string | undefined {
    return this.#connected === undefined ? this.#problem : undefined;
  }

  get pid(): number | undefined {
    return this.#connected?.pid;
  }

  /** The connection, waited for a while. */
  async connected(signal: AbortSignal): Promise<McpConnection> {
    signal.throwIfAborted();
    if (this.#connected) return this.#connected;
    const { promise, resolve, reject } = Promise.withResolvers<McpConnection>();
    const give = () => reject(unavailable(this.name, this.#problem));
    const timer = setTimeout(give, CALL_WAIT_MS);
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.add(resolve);
    this.#hurry();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#waiting.delete(resolve);
    }
  }

  /** Who answers what the server asks, while it holds the turn. */
  answerWith(answer: AnswerElicitation | undefined): void {
    this.#answer = answer;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#problem = 'the executor is stopping';
    await this.#connection?.close();
    await this.#living;
  }

  get #connected(): McpConnection | undefined {
    return this.#connection?.isLost === false ? this.#connection : undefined;
  }

  async #live(): Promise<void> {
    const { config, logger, onTools } = this.#options;
    const { signal } = this.#stop;
    let failures = 0;
    // A server that does not bear the question which revision it speaks is not asked it again at once.
    let negotiate = true;
    while (!signal.aborted) {
      const since = performance.now();
      try {
        const connection = await McpConnection.open({
          config,
          negotiate,
          logger,
          signal,
          onTools,
          onElicit: (params) => this.#answer?.(params) ?? { action: 'cancel' },
        });
        this.#connection = connection;
        if (signal.aborted) await connection.close();
        logger.info(
          { pid: connection.pid, protocol: connection.client.getNegotiatedProtocolVersion() },
          'an MCP server is up',
        );
        for (const resolve of this.#waiting) resolve(connection);
        this.#tried.resolve();
        this.#problem = (await connection.lost).message;
        await connection.close();
      } catch (error) {
        this.#problem = error instanceof Error ? error.message : String(error);
        negotiate = !negotiate;
        this.#tried.resolve();
      }
      if (signal.aborted) break;
      failures = performance.now() - since > SOUND_MS ? 1 : failures + 1;
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
      logger.warn({ problem: this.#problem, againInMs: Math.round(wait) }, 'an MCP server is away');
      await this.#wait(wait, signal);
    }
    this.#tried.resolve();
  }

  /** Less long while a call waits. */
  async #wait(ms: number, stop: AbortSignal): Promise<void> {
    const { promise: hurried, resolve } = Promise.withResolvers<void>();
    this.#hurry = resolve;
    if (this.#waiting.size > 0) resolve();
    const woken = new AbortController();
    const signal = AbortSignal.any([stop, woken.signal]);
    const slept = (time: number) => sleep(time, undefined, { signal, ref: false }).catch(() => {});
    await Promise.race([slept(ms), Promise.all([hurried, slept(HURRIED_WAIT_MS)])]);
    woken.abort();
  }
}
