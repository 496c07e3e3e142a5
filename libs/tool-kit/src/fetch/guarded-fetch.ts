import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { isToolFailure, ToolFailure } from '../failure.ts';
import { ACCEPTED_ENCODINGS, boundedBody, decodersFor } from './body.ts';
import { checkUrl, openDispatcher } from './connect.ts';
import { badResponse, fetchFailed, responseTooLarge, tooManyRedirects, urlForbidden } from './failures.ts';
import { FETCH_DEFAULTS, type FetchOptions } from './options.ts';
import type { ToolFetch } from './types.ts';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const WITHOUT_BODY = new Set([204, 205, 304]);
/** What belongs to the first host and nobody else. */
const OWN_HEADERS = ['authorization', 'cookie', 'proxy-authorization'];
/** The connection's own business. */
const HOP_HEADERS = ['connection', 'host', 'keep-alive', 'te', 'transfer-encoding', 'upgrade', 'content-length'];

interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array | undefined;
}

/** What may end a request from outside. */
interface Ends {
  readonly own: AbortSignal;
  readonly deadline: AbortSignal;
}

export interface GuardedFetch {
  readonly fetch: ToolFetch;
  close(): Promise<void>;
}

/**
 * The platform's `fetch` for addresses that a model thought up: http(s) only, no address outside the public internet,
 * neither literally nor by name nor after a redirect, bounded in bytes and time. It fails with a `ToolFailure`:
 * `url_forbidden`, `response_too_large`, `too_many_redirects`, `fetch_timeout`, `fetch_failed`, `bad_response`.
 * Where the platform's hides a redirect (`redirect: 'manual'`), this one shows it. No cookies, no cache, no CORS.
 */
export function guardedFetch(given: Partial<FetchOptions> = {}): GuardedFetch {
  const options = { ...FETCH_DEFAULTS, ...given };
  let dispatcher: Promise<Dispatcher> | undefined;
  return {
    async fetch(input, init) {
      const request = asRequest(input, init);
      const ends: Ends = { own: request.signal, deadline: AbortSignal.timeout(options.totalTimeoutMs) };
      const signal = AbortSignal.any([ends.own, ends.deadline]);
      let hop: Hop = {
        url: new URL(request.url),
        method: request.method,
        headers: startHeaders(request.headers),
        body: await bodyOf(request, options.maxRequestBytes),
      };
      for (let redirects = 0; ; redirects++) {
        checkUrl(hop.url, options);
        const { url } = hop;
        let answer: Dispatcher.ResponseData;
        try {
          dispatcher ??= openDispatcher(options);
          answer = await (await dispatcher).request({
            origin: url.origin,
            path: url.pathname + url.search,
            method: hop.method as Dispatcher.HttpMethod,
            headers: [...hop.headers].flat(),
            body: hop.body ?? null,
            signal,
          });
        } catch (error) {
          throw asFailure(error, url, ends);
        }
        const location = REDIRECTS.has(answer.statusCode) ? headerOf(answer, 'location') : undefined;
        if (location === undefined || request.redirect === 'manual') {
          return asResponse(answer, url, redirects > 0, options.maxResponseBytes, ends);
        }
        discard(answer.body);
        if (request.redirect === 'error') throw badResponse(url, 'a redirect, which was not asked for');
        if (redirects >= options.maxRedirects) throw tooManyRedirects(new URL(request.url), options.maxRedirects);
        hop = nextHop(hop, answer.statusCode, location);
      }
    },
    async close() {
      await (await dispatcher)?.destroy();
    },
  };
}

function asRequest(input: Parameters<ToolFetch>[0], init: Parameters<ToolFetch>[1]): Request {
  try {
    return new Request(input, init);
  } catch (cause) {
    const address = String(input instanceof Request ? input.url : input);
    if (!URL.canParse(address)) throw urlForbidden(address, 'it is no absolute URL', false);
    const url = new URL(address);
    if (url.username !== '' || url.password !== '') throw urlForbidden(url, 'it holds credentials', false);
    throw cause;
  }
}

function startHeaders(given: Headers): Headers {
  const headers = new Headers(given);
  for (const name of HOP_HEADERS) headers.delete(name);
  if (!headers.has('accept')) headers.set('accept', '*/*');
  if (!headers.has('accept-encoding')) headers.set('accept-encoding', ACCEPTED_ENCODINGS);
  if (!headers.has('user-agent')) headers.set('user-agent', 'toolstream');
  return headers;
}

async function bodyOf(request: Request, limit: number): Promise<Uint8Array | undefined> {
  if (request.body === null) return undefined;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of request.body) {
    bytes += piece.byteLength;
    if (bytes > limit) {
      throw new ToolFailure({ code: 'request_too_large', message: `A request's body may have ${limit} bytes.` });
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function nextHop({ url, method, headers, body }: Hop, status: number, location: string): Hop {
  if (!URL.canParse(location, url.href)) throw badResponse(url, 'a redirect to something that is no URL');
  const next = new URL(location, url);
  const kept = new Headers(headers);
  if (next.origin !== url.origin) for (const name of OWN_HEADERS) kept.delete(name);
  const becomesGet = status === 303 ? method !== 'HEAD' : status < 303 && method === 'POST';
  if (!becomesGet) return { url: next, method, headers: kept, body };
  for (const name of [...kept.keys()]) if (name.startsWith('content-')) kept.delete(name);
  return { url: next, method: 'GET', headers: kept, body: undefined };
}

function asResponse(
  { statusCode, headers: given, body }: Dispatcher.ResponseData,
  url: URL,
  redirected: boolean,
  limit: number,
  ends: Ends,
): Response {
  const refuse = (failure: ToolFailure): never => {
    discard(body);
    throw failure;
  };
  if (statusCode < 200 || statusCode > 599)
    refuse(badResponse(url, `the status ${statusCode}, which HTTP does not have`));
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    for (const one of [value].flat()) if (one !== undefined) headers.append(name, one);
  }
  const decoders =
    decodersFor(headers.get('content-encoding') ?? '') ??
    refuse(badResponse(url, `a content-encoding that was not asked for: ${headers.get('content-encoding')}`));
  // The length of what arrives says nothing about what it unfolds to, but enough to refuse it at once.
  if (Number(headers.get('content-length') ?? 0) > limit) refuse(responseTooLarge(url, limit));
  if (decoders.length > 0) for (const name of ['content-encoding', 'content-length']) headers.delete(name);

  let content: ReadableStream | null = null;
  if (WITHOUT_BODY.has(statusCode)) discard(body);
  else content = streamOf(boundedBody(body, decoders, { limit, url }), body, (error) => asFailure(error, url, ends));
  const response = new Response(content, { status: statusCode, headers });
  Object.defineProperties(response, { url: { value: url.href }, redirected: { value: redirected } });
  return response;
}

/** The body's errors are told apart as those of the request are, and its connection ends with its reader. */
function streamOf(
  pieces: AsyncGenerator<Uint8Array>,
  body: Readable,
  fail: (error: unknown) => unknown,
): ReadableStream {
  return new ReadableStream({
    async pull(controller) {
      try {
        const next = await pieces.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      } catch (error) {
        discard(body);
        controller.error(fail(error));
      }
    },
    cancel: () => discard(body),
  });
}

/** The caller's own abort stays what it is: a tool lets it through, and its end says why. */
function asFailure(error: unknown, url: URL, { own, deadline }: Ends): unknown {
  if (own.aborted) return own.reason;
  for (let at = error; at instanceof Error; at = at.cause) if (isToolFailure(at)) return at;
  return fetchFailed(url, deadline.aborted ? TIMEOUT : error);
}

const TIMEOUT = Object.assign(new Error('the time for it is over'), { code: 'ETIMEDOUT' });

const headerOf = ({ headers }: Dispatcher.ResponseData, name: string): string | undefined => [headers[name]].flat()[0];

/** Not worth reading on for the connection's sake. Its error, if it has one still, is nobody's any more. */
function discard(body: Readable): void {
  body.on('error', () => {});
  body.destroy();
}
