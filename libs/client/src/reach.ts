import type { FetchLike } from './http.ts';

/** Whether anything at all is answered over HTTP, by the service or by what stands for it. Asked once at a time. */
export class Reach {
  readonly #url: string;
  readonly #fetch: FetchLike;
  readonly #withinMs: number;
  readonly #closed = new AbortController();
  #asking: Promise<boolean> | undefined;

  constructor(url: string, fetch: FetchLike, withinMs: number) {
    this.#url = url;
    this.#fetch = fetch;
    this.#withinMs = withinMs;
  }

  ask(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  close(): void {
    this.#closed.abort();
  }

  async #ask(): Promise<boolean> {
    const fetch = this.#fetch;
    const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(this.#withinMs)]);
    try {
      const response = await fetch(`${this.#url}/healthz`, { signal, cache: 'no-store' });
      response.body?.cancel().catch(() => {});
      // Even a proxy's "not found" shows that requests get through; a gateway's trouble shows that they do not.
      return response.status < 500;
    } catch {
      return false;
    }
  }
}
