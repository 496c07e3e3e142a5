import { type Api, createApi } from './api.ts';
import { Http, type HttpOptions } from './http.ts';

/** What goes over HTTP. A part of the client that is loaded with the first request: who only watches needs none. */
export interface Requests {
  readonly http: Http;
  readonly api: Api;
}

export interface RequestsOptions extends HttpOptions {
  /** For requests that are repeated and done once. */
  uniqueId(): string;
}

export function createRequests(options: RequestsOptions): Requests {
  const http = new Http(options);
  return { http, api: createApi(http, options.uniqueId) };
}
