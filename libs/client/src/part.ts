import { ConnectionError, messageOf } from './errors.ts';

/**
 * A part of the client that is loaded when it is first needed, once. Where it cannot be loaded, whoever asks next is one more
 * attempt.
 */
export class Part<T> {
  readonly #load: () => Promise<T>;
  #loading: Promise<T> | undefined;
  #loaded: T | undefined;

  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  /** `undefined` until it is loaded. */
  get loaded(): T | undefined {
    return this.#loaded;
  }

  get(): Promise<T> {
    this.#loading ??= this.#load().then(
      (part) => {
        this.#loaded = part;
        return part;
      },
      (cause) => {
        this.#loading = undefined;
        // Of a part that it needs itself.
        if (cause instanceof ConnectionError) throw cause;
        const message = `A part of the client could not be loaded: ${messageOf(cause)}. See that every file of the page is served, and reload it.`;
        throw new ConnectionError('part_unavailable', message, { cause });
      },
    );
    return this.#loading;
  }
}
