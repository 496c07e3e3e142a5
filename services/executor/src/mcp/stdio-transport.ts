import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import {
  type JSONRPCMessage,
  ReadBuffer,
  SdkError,
  SdkErrorCode,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/client';
import { getDefaultEnvironment } from '@modelcontextprotocol/client/stdio';
import { within } from '@toolstream/service-kit';
import { InOrder } from './in-order.ts';

export interface StdioOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  /** What the server prints for people. */
  onStderr(text: string): void;
}

/** A longer message ends the connection. */
const MESSAGE_BYTES = 32 * 1024 * 1024;
/** After the end of its input, and again after SIGTERM. */
const END_WAIT_MS = 1000;

const living = new Set<StdioTransport>();
let atExit = false;

/**
 * A server as a child process in a process group of its own, so that what a package runner started is ended with it. It gets
 * the few harmless variables of this environment and those that it is given, and is ended when this process exits; after a
 * SIGKILL of this process it sees the end of its input.
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly stderr = null;
  readonly #options: StdioOptions;
  readonly #inOrder = new InOrder();
  readonly #buffer = new ReadBuffer({ maxBufferSize: MESSAGE_BYTES });
  #child: ChildProcessWithoutNullStreams | undefined;
  #ended: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: StdioOptions) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  async start(): Promise<void> {
    const { command, args, env, cwd, onStderr } = this.#options;
    const child = spawn(command, args, {
      env: { ...getDefaultEnvironment(), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd,
      detached: true,
      windowsHide: true,
    });
    this.#child = child;
    StdioTransport.#endAllAtExit();
    living.add(this);
    child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk));
    child.stderr.setEncoding('utf8').on('data', onStderr);
    for (const stream of [child.stdin, child.stdout, child.stderr])
      stream.on('error', (error) => this.onerror?.(error));
    this.#ended = new Promise((resolve) => {
      const end = () => {
        resolve();
        this.#close();
      };
      child.once('close', end);
      // It does not close while a child of its own holds its pipes.
      child.once('exit', () => setTimeout(end, 100).unref());
      child.once('error', end);
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
  }

  send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (this.#closed || !stdin?.writable) {
      return Promise.reject(new SdkError(SdkErrorCode.NotConnected, 'The server process has ended.'));
    }
    return new Promise((resolve, reject) => {
      stdin.write(serializeMessage(message), (error) => (error ? reject(error) : resolve()));
    });
  }

  async close(): Promise<void> {
    if (!this.#child || this.#closed) return;
    this.#child.stdin.end();
    if (!(await this.#endsSoon())) {
      this.#signal('SIGTERM');
      if (!(await this.#endsSoon())) this.#signal('SIGKILL');
    }
    this.#close();
  }

  static #endAllAtExit(): void {
    if (atExit) return;
    atExit = true;
    process.once('exit', () => {
      for (const transport of living) transport.#signal('SIGKILL');
    });
  }

  #receive(chunk: Buffer): void {
    try {
      this.#buffer.append(chunk);
    } catch (error) {
      this.onerror?.(error as Error);
      this.#signal('SIGKILL');
      return;
    }
    for (;;) {
      try {
        const message = this.#buffer.readMessage();
        if (message === null) return;
        this.#inOrder.deliver(message, () => this.onmessage?.(message));
      } catch (error) {
        // A line that is no message: servers print to the wrong stream.
        this.onerror?.(error as Error);
      }
    }
  }

  async #endsSoon(): Promise<boolean> {
    const ended = this.#ended.then(() => true);
    return (await within(END_WAIT_MS, ended)) ?? false;
  }

  /** Nothing of the group is left behind, and nobody hears of it twice. */
  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal('SIGKILL');
    living.delete(this);
    this.#buffer.clear();
    setImmediate(() => this.onclose?.());
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The group is gone.
    }
  }
}
