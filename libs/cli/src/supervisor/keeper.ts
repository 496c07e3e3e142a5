import { RestartPolicy } from './restart-policy.ts';
import { lastLines } from './run-files.ts';
import { describeExit, type Exit, StartFailed, type Supervised } from './supervised.ts';

const FIRST_START_TRIES = 3;

export interface KeeperOptions {
  /** False: what ends stays ended until `start` is called again. */
  restart: boolean;
  onExit(name: string, exit: Exit): void;
  onRestart(name: string, pid: number): void;
  log(line: string): void;
}

/** Keeps one process running from `start` to `stop`. */
export class Keeper {
  readonly target: Supervised;
  readonly #options: KeeperOptions;
  readonly #policy = new RestartPolicy();
  #restarts = 0;
  #readyAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(target: Supervised, options: KeeperOptions) {
    this.target = target;
    this.#options = options;
    target.onUnexpectedExit((exit) => this.#ended(exit));
  }

  /** How often it was started again after an end that nobody asked for. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Rejects when it does not get ready: at once where a repetition cannot help, else after a few tries. */
  async start(): Promise<void> {
    const tries = this.#options.restart ? FIRST_START_TRIES : 1;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.target.start();
        this.#readyAt = performance.now();
        return;
      } catch (error) {
        const hopeless = error instanceof StartFailed && error.permanent;
        if (hopeless || attempt >= tries || this.#stopping) throw error;
        const [what] = (error as Error).message.split('. Last lines of');
        this.#options.log(`${what} (${this.target.logFile}). Starting it again.`);
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    await this.target.stop();
  }

  async kill9(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    await this.target.kill9();
  }

  #ended(exit: Exit): void {
    const { name, logFile } = this.target;
    const lines = lastLines(logFile, 6).map((line) => `\n  ${line}`);
    this.#options.log(`${name} ${describeExit(exit)}. Last lines of ${logFile}:${lines.join('')}`);
    this.#options.onExit(name, exit);
    if (this.#options.restart) this.#startAgainLater(performance.now() - this.#readyAt);
  }

  #startAgainLater(livedMs: number): void {
    if (this.#stopping) return;
    this.#timer = setTimeout(() => void this.#startAgain(), this.#policy.nextDelayMs(livedMs));
  }

  async #startAgain(): Promise<void> {
    const { target } = this;
    const begun = performance.now();
    this.#restarts++;
    try {
      await target.start();
    } catch (error) {
      if (this.#stopping) return;
      this.#options.log((error as Error).message);
      return this.#startAgainLater(0);
    }
    this.#readyAt = performance.now();
    const { pid } = target;
    if (pid === undefined) return;
    this.#options.log(`${target.name} runs again (pid ${pid}, ready after ${Math.round(this.#readyAt - begun)} ms).`);
    this.#options.onRestart(target.name, pid);
  }
}
