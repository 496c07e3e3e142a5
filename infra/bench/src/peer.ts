import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer, Question } from './peers/serve.ts';
import { EXEC_ARGV } from './runtime.ts';

const STOP_MS = 3_000;

/** A process of this benchmark: publisher, relay or clients. Everything is asked over IPC, so that it works in its own time. */
export class Peer {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #ended: Promise<void>;
  #next = 0;
  #stopping = false;

  /** `name` is a script under `peers/`. */
  constructor(name: string, execArgv: readonly string[] = []) {
    this.name = name;
    const script = fileURLToPath(new URL(`./peers/${name}.ts`, import.meta.url));
    this.#child = fork(script, {
      execArgv: [...EXEC_ARGV, ...execArgv],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (answer) => this.#answered(answer as Answer));
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        if (!this.#stopping) this.#failAll(new Error(`peer_ended: ${name} ended with ${signal ?? code}`));
        resolve();
      });
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`peer_not_started: ${this.name} could not be started`);
    return pid;
  }

  call<T>(method: string, parameters: unknown = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve: (value) => resolve(value as T), reject });
      const question: Question = { id, method, parameters };
      this.#child.send(question, (error) => {
        if (error && this.#waiting.delete(id)) reject(error);
      });
    });
  }

  /** It ends when nobody is connected to it any more; one that does not is killed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    if (this.#child.connected) this.#child.disconnect();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#ended;
    clearTimeout(late);
    this.#failAll(new Error(`peer_stopped: ${this.name} was stopped`));
  }

  #answered({ id, result, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(`${this.name}: ${error}`));
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
