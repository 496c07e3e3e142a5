import { ToolstreamError } from './errors.ts';

/**
 * Hands items from callbacks to `for await`. Bounded: a reader that falls `limit` items behind gets a `slow_reader`
 * error in place of silence, and can watch again from its last cursor.
 */
export class ItemQueue<T> implements AsyncIterableIterator<T> {
  readonly #limit: number;
  readonly #onReturn: () => void;
  #items: T[] = [];
  #waiting: PromiseWithResolvers<IteratorResult<T>>[] = [];
  #over = false;
  /** What the next reader is told, once. */
  #error: unknown;

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
    this.#over = true;
    this.#error = error;
    for (const reader of this.#waiting.splice(0)) this.#answer(reader);
  }

  next(): Promise<IteratorResult<T>> {
    const reader = Promise.withResolvers<IteratorResult<T>>();
    if (this.#items.length > 0 || this.#over) this.#answer(reader);
    else this.#waiting.push(reader);
    return reader.promise;
  }

  return(): Promise<IteratorResult<T>> {
    this.#items = [];
    this.finish();
    this.#error = undefined;
    this.#onReturn();
    return this.next();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** With what is there: an item, the error, or the end. */
  #answer(reader: PromiseWithResolvers<IteratorResult<T>>): void {
    const error = this.#error;
    if (this.#items.length > 0) reader.resolve({ value: this.#items.shift()!, done: false });
    else if (error === undefined) reader.resolve({ value: undefined, done: true });
    else {
      this.#error = undefined;
      reader.reject(error);
    }
  }
}
