import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Client, type ElicitRequest, type ElicitResult, type Tool, type Transport } from '@modelcontextprotocol/client';
import type { Logger } from '@toolstream/service-kit';
import { Allowance } from '../isolation/allowance.ts';
import type { McpServerConfig } from './config.ts';
import { isSessionLost } from './failures.ts';
import { HttpTransport } from './http-transport.ts';
import { StdioTransport } from './stdio-transport.ts';

export interface ConnectionOptions {
  readonly config: McpServerConfig;
  /** Negotiate the revision of the protocol, or speak the older one at once. */
  readonly negotiate: boolean;
  readonly logger: Logger;
  /** Aborted: a handshake that is under way is given up. */
  readonly signal: AbortSignal;
  onTools(tools: readonly Tool[]): void;
  onElicit(params: ElicitRequest['params']): ElicitResult;
}

const VERSION = '0.1.0';
const PROBE_MS = 5_000;
const LINE_CHARS = 8192;
/** A server over HTTP of which something was amiss is asked this often before it counts as gone. */
const DOUBT_TRIES = 3;
const DOUBT_WAIT_MS = 1_000;
const DOUBT_ANSWER_MS = 5_000;

/** One connection to a server, from its handshake until it is lost, which happens once. */
export class McpConnection {
  readonly client: Client;
  readonly lost: Promise<Error>;
  readonly #options: ConnectionOptions;
  readonly #transport: Transport;
  readonly #lose: (reason: Error) => void;
  readonly #stderr = new Allowance(200, 50);
  #isLost = false;
  #doubting = false;
  #lastError: Error | undefined;

  /** Resolves when the server has shaken hands and its tools are known. */
  static async open(options: ConnectionOptions): Promise<McpConnection> {
    const connection = new McpConnection(options);
    try {
      await connection.#open();
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    const { config, negotiate, logger, onTools, onElicit } = options;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.lost = promise;
    this.#lose = resolve;
    this.#transport =
      'url' in config
        ? new HttpTransport(config)
        : new StdioTransport({ ...config, onStderr: (text) => this.#printed(text) });
    this.client = new Client(
      { name: 'toolstream', version: VERSION },
      {
        capabilities: {
          ...(config.elicitation === 'approval' ? { elicitation: { form: {} } } : {}),
          ...(config.roots.length > 0 ? { roots: {} } : {}),
        },
        versionNegotiation: { mode: negotiate ? 'auto' : 'legacy', probe: { timeoutMs: PROBE_MS } },
        listChanged: {
          tools: {
            onChanged: (error, tools) => {
              if (tools) onTools(tools);
              else logger.warn({ error }, 'an MCP server says that its tools changed, and does not list them');
            },
          },
        },
      },
    );
    if (config.elicitation === 'approval') {
      this.client.setRequestHandler('elicitation/create', ({ params }) => onElicit(params));
    }
    if (config.roots.length > 0) {
      const roots = config.roots.map((root) => ({ uri: root.startsWith('file:') ? root : pathToFileURL(root).href }));
      this.client.setRequestHandler('roots/list', () => ({ roots }));
    }
    this.client.setNotificationHandler('notifications/message', ({ params }) => {
      if (this.#stderr.take()) logger.debug({ level: params.level, data: params.data }, 'an MCP server logs');
    });
    this.client.onclose = () => this.#end(this.#lastError ?? new Error('it closed the connection'));
    this.client.onerror = (error) => this.#onError(error);
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  get pid(): number | undefined {
    return this.#transport instanceof StdioTransport ? (this.#transport.pid ?? undefined) : undefined;
  }

  /** Gives the connection up: calls that are under way fail. */
  fail(reason: Error): void {
    this.#end(reason);
    this.client.close().catch(() => {});
  }

  async close(): Promise<void> {
    this.#end(new Error('the executor is stopping'));
    await this.client.close().catch(() => {});
    // The client lets go of a transport whose handshake failed.
    await this.#transport.close().catch(() => {});
  }

  /**
   * Something went wrong outside of any call. A process says when it ends; of a server over HTTP it is not known whether it,
   * or the session, is still there: it is asked.
   */
  async #doubt(): Promise<void> {
    if (this.#doubting || this.#isLost) return;
    this.#doubting = true;
    let problem: unknown;
    for (let tries = 0; tries < DOUBT_TRIES && !this.#isLost; tries++) {
      if (tries > 0) await sleep(DOUBT_WAIT_MS, undefined, { ref: false });
      try {
        const { tools } = await this.client.listTools(undefined, { timeout: DOUBT_ANSWER_MS, cacheMode: 'refresh' });
        this.#options.onTools(tools);
        problem = undefined;
        break;
      } catch (error) {
        problem = error;
        if (isSessionLost(error)) break;
      }
    }
    // What went wrong while it was asked is answered by that too.
    await sleep(DOUBT_WAIT_MS, undefined, { ref: false });
    this.#doubting = false;
    if (problem !== undefined) this.fail(problem instanceof Error ? problem : new Error(String(problem)));
  }

  async #open(): Promise<void> {
    const { config, onTools, signal } = this.#options;
    const timeout = config.connectTimeoutMs;
    const gaveUp = this.lost.then((reason) => Promise.reject(reason));
    gaveUp.catch(() => {});
    const onAbort = () => this.fail(new Error('the executor is stopping'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void this.lost.then(() => signal.removeEventListener('abort', onAbort));
    await Promise.race([this.client.connect(this.#transport, { timeout }), gaveUp]);
    const { tools } = await this.client.listTools(undefined, { timeout });
    if (this.#isLost) throw this.#lastError ?? new Error('it closed the connection');
    onTools(tools);
  }

  #end(reason: Error): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#lose(reason);
  }

  #onError(error: Error): void {
    this.#lastError = error;
    this.#options.logger.debug({ error: error.message }, 'an MCP connection reports');
    if (this.#transport instanceof HttpTransport && this.client.getServerVersion() !== undefined) void this.#doubt();
  }

  #printed(text: string): void {
    for (const line of text.split('\n')) {
      if (line.trim() === '' || !this.#stderr.take()) continue;
      this.#options.logger.info({ text: line.slice(0, LINE_CHARS) }, 'an MCP server prints');
    }
  }
}
