import { retryDelay } from './backoff.ts';
import type { ToolstreamError } from './errors.ts';
import type { Part } from './part.ts';
import type { Standing } from './transport.ts';

export interface LoadingOptions {
  readonly now: () => number;
  readonly random: () => number;
  /** It cannot be loaded, which is told once until it can, or is not missed any more. */
  onTrouble(error: ToolstreamError): void;
}

const UNDER_WAY: Standing = { status: 'connecting' };

/** How it stands with a part that the connection waits for. */
export class Loading {
  readonly #part: Part<unknown>;
  readonly #options: LoadingOptions;
  #attempt: Promise<boolean> | undefined;
  #failures = 0;
  #standing = UNDER_WAY;

  constructor(part: Part<unknown>, options: LoadingOptions) {
    this.#part = part;
    this.#options = options;
  }

  /** `waiting`: the last attempt failed, and when there should be another. */
  get standing(): Standing {
    return this.#standing;
  }

  /** Whether it is there; where it is not, this is an attempt. */
  load(): Promise<boolean> {
    this.#attempt ??= this.#load().finally(() => {
      this.#attempt = undefined;
    });
    return this.#attempt;
  }

  /** It is there, or is not missed. */
  settle(): void {
    this.#failures = 0;
    this.#standing = UNDER_WAY;
  }

  async #load(): Promise<boolean> {
    const { now, random, onTrouble } = this.#options;
    try {
      await this.#part.get();
      this.settle();
      return true;
    } catch (error) {
      const delay = retryDelay(this.#failures, random());
      this.#standing = { status: 'waiting', reason: 'part_unavailable', retry_at: now() + delay };
      if (this.#failures++ === 0) onTrouble(error as ToolstreamError);
      return false;
    }
  }
}
