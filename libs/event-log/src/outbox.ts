/**
 * Between what passes and who takes it: keeps the order, makes one batch of one network chunk, and waits for a reader
 * that answers with a promise. Whoever fills it looks at `size` and stops in time.
 */
export class Outbox<E> {
  readonly #deliver: (batch: readonly E[]) => void | Promise<void>;
  readonly #onEmptied: () => void;
  readonly #onFailed: (error: unknown) => void;
  #waiting: E[] = [];
  #delivering: Promise<void> | undefined;
  #closed = false;

  constructor(
    deliver: (batch: readonly E[]) => void | Promise<void>,
    onEmptied: () => void,
    onFailed: (error: unknown) => void,
  ) {
    this.#deliver = deliver;
    this.#onEmptied = onEmptied;
    this.#onFailed = onFailed;
  }

  get size(): number {
    return this.#waiting.length;
  }

  push(events: readonly E[]): void {
    if (events.length === 0 || this.#closed) return;
    for (const event of events) this.#waiting.push(event);
    this.#delivering ??= this.#run();
  }

  /** Everything pushed so far has been taken; never rejects. */
  emptied(): Promise<void> {
    return this.#delivering ?? Promise.resolve();
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
  }

  async #run(): Promise<void> {
    await undefined;
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting;
        this.#waiting = [];
        await this.#deliver(batch);
      }
    } catch (error) {
      this.close();
      this.#onFailed(error);
    } finally {
      this.#delivering = undefined;
    }
    if (!this.#closed) this.#onEmptied();
  }
}
