import { retryDelay } from './backoff.ts';
import { ConnectionError, messageOf, type ToolstreamError } from './errors.ts';
import type { Fallback, FallbackOptions } from './fallback.ts';
import type { Standing } from './transport.ts';

/** The part of the client that is loaded where a socket is no choice: `@toolstream/client/fallback`. */
export interface FallbackPart {
  readonly Fallback: new (options: FallbackOptions) => Fallback;
}

export interface FallbackLoaderOptions {
  readonly loadFallback: () => Promise<FallbackPart>;
  readonly now: () => number;
  readonly random: () => number;
  /** It is missing, which is told once until the next success. It is tried again all the same. */
  onTrouble(error: ToolstreamError): void;
}

const LOADING: Standing = { status: 'connecting' };

/** Loads the fallback once, however often it is asked for; where that fails, the next one who asks is one more attempt. */
export class FallbackLoader {
  readonly #options: FallbackLoaderOptions;
  #part: FallbackPart | undefined;
  #loading: Promise<boolean> | undefined;
  #failures = 0;
  #standing = LOADING;

  constructor(options: FallbackLoaderOptions) {
    this.#options = options;
  }

  get part(): FallbackPart | undefined {
    return this.#part;
  }

  /** `waiting`: the last attempt failed. */
  get standing(): Standing {
    return this.#standing;
  }

  /** Whether it is there. */
  load(): Promise<boolean> {
    this.#loading ??= this.#load().finally(() => {
      if (!this.#part) this.#loading = undefined;
    });
    return this.#loading;
  }

  /** It is not missed any more. */
  forget(): void {
    this.#failures = 0;
    this.#standing = LOADING;
  }

  async #load(): Promise<boolean> {
    const { loadFallback, now, random, onTrouble } = this.#options;
    try {
      this.#part = await loadFallback();
      this.forget();
      return true;
    } catch (cause) {
      const first = this.#failures === 0;
      const delay = retryDelay(this.#failures++, random());
      this.#standing = { status: 'waiting', reason: 'fallback_unavailable', retry_at: now() + delay };
      const message = `WebSockets do not get through, and the part of the client that does without them could not be loaded: ${messageOf(cause)}. See that all files of the page are served, and reload it.`;
      if (first) onTrouble(new ConnectionError('fallback_unavailable', message, { cause }));
      return false;
    }
  }
}
