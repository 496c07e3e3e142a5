import { type ChildProcess, fork } from 'node:child_process';
import { childExecArgv, siblingModule } from './source-mode.ts';
import type { ToHost, ToTool } from './wire.ts';

export interface ToolProcessOptions {
  readonly memoryMb: number;
  readonly modules: readonly string[];
  /** What it wrote past everything, straight to its file descriptors: fatal errors, native code. */
  onPrint(pid: number, text: string): void;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** V8 says so before it gives up. */
  readonly heapExhausted: boolean;
}

export interface CallOfProcess {
  onMessage(message: ToHost): void;
  onEnd(end: ProcessEnd): void;
}

/** The stores and the log are the executor's: what leads to them is not for tools to know. */
const WITHHELD = /^(NATS_|DATABASE_URL$|TOOLSTREAM_JWT|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)$)/;
/** Printed text that is passed on, of one process. */
const PRINTED_CHARS = 64 * 1024;
const TAIL_CHARS = 8192;

/** One child process for tools: ready after a while, then serving one call after the other until it ends. */
export class ToolProcess {
  readonly #child: ChildProcess;
  /** Rejects if it ends before. */
  readonly ready: Promise<void>;
  readonly ended: Promise<ProcessEnd>;
  #call: CallOfProcess | undefined;
  #tail = '';
  #printed = 0;
  #hasEnded = false;
  calls = 0;

  constructor({ memoryMb, modules, onPrint }: ToolProcessOptions) {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !WITHHELD.test(name)));
    const child = fork(siblingModule('./process-entry'), {
      execArgv: [`--max-old-space-size=${memoryMb}`, ...childExecArgv],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...env, TOOLSTREAM_TOOL_MODULES: JSON.stringify(modules) },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      // Always read, or the child would wait for ever with its next word.
      stream?.setEncoding('utf8').on('data', (text: string) => this.#onPrinted(text, onPrint));
      stream?.on('error', () => {});
    }
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        if (this.#hasEnded) return;
        this.#hasEnded = true;
        const how = { code, signal, heapExhausted: /heap out of memory/.test(this.#tail) };
        this.#call?.onEnd(how);
        resolve(how);
      };
      // 'close' comes when the streams are read to their end too. It does not come if the tool left a child that holds
      // them open; 'exit' is waited on a little longer then.
      child.once('close', end);
      child.once('exit', (code, signal) => setTimeout(end, 100, code, signal).unref());
      child.once('error', () => end(null, null));
    });
    this.ready = new Promise((resolve, reject) => {
      child.on('message', (message: ToHost) => {
        if ((message as ToHost | null)?.t === 'ready') resolve();
        else this.#call?.onMessage(message);
      });
      void this.ended.then(({ code, signal }) => reject(new Error(`it ended at once (${signal ?? `code ${code}`})`)));
    });
    this.ready.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Who hears the process from now on: it serves one call at a time. */
  attend(call: CallOfProcess | undefined): void {
    this.#call = call;
  }

  /** A child that is gone cannot be told anything; its end ends the call. */
  post(message: ToTool): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #onPrinted(text: string, onPrint: ToolProcessOptions['onPrint']): void {
    this.#tail = (this.#tail + text).slice(-TAIL_CHARS);
    const room = PRINTED_CHARS - this.#printed;
    this.#printed += text.length;
    if (room > 0) onPrint(this.pid ?? 0, text.slice(0, room));
  }
}
