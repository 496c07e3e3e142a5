import { ToolstreamError } from './errors.ts';

/**
 * Hands items from callbacks to `for await`. Bounded: a reader that falls `limit` items behind gets a `slow_reader`
 * error in place of silence, and can watch again from its last cursor.
 */
export class ItemQueue<T> implements AsyncIterableIterator<T> {
  readonly #limit: number;
  readonly #onReturn: () => void;
  #items: T[] = [];
  #waiting: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void }[] = [];
  #over: { error?: unknown } | undefined;

  constructor(limit: number, onReturn: () => void) {
    this.#limit = limit;
    this.#onReturn = onReturn;
  }

  push(item: T): void {
    if (this.#over) return;
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve({ value: item, done: false });
    else if (this.#items.length < this.#limit) this.#items.push(item);
    else {
      const message = `More than ${this.#limit} items waited to be read; watch again from the last cursor that was read.`;
      this.finish(new ToolstreamError('slow_reader', message));
      this.#onReturn();
    }
  }

  /** Items already queued are still read; then the iteration ends, or throws `error`. */
  finish(error?: unknown): void {
    if (this.#over) return;
    this.#over = error === undefined ? {} : { error };
    const waiting = this.#waiting;
    this.#waiting = [];
    const first = error === undefined ? undefined : waiting.shift();
    if (first) {
      this.#over = {};
      first.reject(error);
    }
    for (const reader of waiting) reader.resolve({ value: undefined, done: true });
  }

  next(): Promise<IteratorResult<T>> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve({ value: item, done: false });
    if (this.#over) {
      const { error } = this.#over;
      this.#over = {};
      return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T>> {
    this.#items = [];
    this.finish();
    this.#onReturn();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
