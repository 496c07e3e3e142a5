import { ApiError } from './errors.ts';
import type { Http } from './http.ts';

/** Whether anything at all is answered over HTTP, by the service or by what stands for it. Asked once at a time. */
export class Reach {
  readonly #http: Http;
  readonly #withinMs: number;
  #asking: Promise<boolean> | undefined;

  constructor(http: Http, withinMs: number) {
    this.#http = http;
    this.#withinMs = withinMs;
  }

  ask(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<boolean> {
    try {
      const response = await this.#http.attempt({ method: 'GET', path: '/healthz', timeoutMs: this.#withinMs });
      response.body?.cancel().catch(() => {});
      return true;
    } catch (error) {
      // Even a proxy's "not found" shows that requests get through; a gateway's trouble shows that they do not.
      return error instanceof ApiError && error.status < 500;
    }
  }
}
