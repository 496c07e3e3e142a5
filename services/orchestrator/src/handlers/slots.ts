/** A bound on work in progress: `take` waits for a free slot, in order. */
export class Slots {
  readonly #waiting: (() => void)[] = [];
  #free: number;
  #idle: (() => void)[] = [];
  readonly #total: number;

  constructor(total: number) {
    this.#total = total;
    this.#free = total;
  }

  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next) {
      next();
      return;
    }
    this.#free++;
    if (this.#free === this.#total) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when nothing is in progress. */
  async idle(): Promise<void> {
    if (this.#free < this.#total) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}
