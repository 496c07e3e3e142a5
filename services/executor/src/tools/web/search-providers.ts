import type { ToolFetch } from '@toolstream/tool-kit';
import { ToolFailure } from '@toolstream/tool-kit';
import { z } from 'zod';
import { faultOf, jsonOf, jsonOrNothing, ProviderFault } from '../providers/provider.ts';
import type { ToolSettings } from '../settings.ts';
import { plainText } from './plain-text.ts';

export interface SearchQuery {
  readonly query: string;
  readonly count: number;
}

export interface SearchHit {
  readonly title: string;
  readonly url: string;
  readonly snippet: string;
  readonly published?: string;
}

export interface SearchAnswer {
  readonly hits: readonly SearchHit[];
  /** Where the provider gives a short answer of its own. */
  readonly answer?: string;
}

/** One provider's wire format: one request, its answer or its refusal. */
export interface SearchEngine {
  readonly name: string;
  /** Calls to one address share a breaker. */
  readonly base: string;
  search(fetch: ToolFetch, query: SearchQuery, signal: AbortSignal): Promise<SearchAnswer>;
}

/** The configured one; `not_configured` says what to set. */
export function searchEngine(settings: ToolSettings): SearchEngine {
  const { TOOLSTREAM_SEARCH_PROVIDER: provider, TOOLSTREAM_SEARCH_URL: url } = settings;
  switch (provider) {
    case 'searxng':
      if (url === '') throw notConfigured('TOOLSTREAM_SEARCH_URL must be the address of the SearXNG instance.');
      return searxng(url);
    case 'brave':
      if (settings.BRAVE_API_KEY === '') throw notConfigured('BRAVE_API_KEY must hold a key for the Brave Search API.');
      return brave(url || 'https://api.search.brave.com', settings.BRAVE_API_KEY);
    case 'tavily':
      if (settings.TAVILY_API_KEY === '') throw notConfigured('TAVILY_API_KEY must hold a key for the Tavily API.');
      return tavily(url || 'https://api.tavily.com', settings.TAVILY_API_KEY);
    default:
      throw notConfigured(
        'set TOOLSTREAM_SEARCH_PROVIDER of the executors to searxng (with TOOLSTREAM_SEARCH_URL), brave (with BRAVE_API_KEY) or tavily (with TAVILY_API_KEY).',
      );
  }
}

const notConfigured = (what: string): ToolFailure =>
  new ToolFailure({ code: 'not_configured', message: `Web search is not configured: ${what}` });

const at = (base: string, path: string): URL => new URL(`${base.replace(/\/+$/, '')}${path}`);

const hit = (title: string, url: string, snippet: string | null | undefined, published?: string | null): SearchHit => ({
  title: plainText(title).slice(0, 300),
  url,
  snippet: plainText(snippet ?? '').slice(0, 600),
  ...(published ? { published } : {}),
});

const text = z.string().nullish();

const searxngAnswer = z.object({
  results: z.array(z.object({ url: z.string(), title: z.string(), content: text, publishedDate: text })),
  answers: z.array(z.union([z.string(), z.looseObject({ answer: text })])).optional(),
});

function searxng(base: string): SearchEngine {
  return {
    name: 'SearXNG',
    base,
    async search(fetch, { query, count }, signal) {
      const url = at(base, '/search');
      url.search = new URLSearchParams({ q: query, format: 'json' }).toString();
      const response = await fetch(url, { signal, headers: { accept: 'application/json' }, redirect: 'error' });
      if (response.status === 403) {
        await response.body?.cancel();
        throw new ProviderFault(
          'provider_refused',
          'SearXNG answered 403: its settings.yml must list json under search.formats, and its limiter must let executors through.',
          false,
        );
      }
      if (!response.ok) throw faultOf('SearXNG', response, plainText((await response.text()).slice(0, 2000)));
      const { results, answers = [] } = parsed('SearXNG', searxngAnswer, await jsonOf('SearXNG', response));
      const [first] = answers;
      const answer = typeof first === 'string' ? first : first?.answer;
      return {
        hits: results.slice(0, count).map((r) => hit(r.title, r.url, r.content, r.publishedDate)),
        ...(answer ? { answer: plainText(answer).slice(0, 2000) } : {}),
      };
    },
  };
}

const braveAnswer = z.object({
  web: z
    .object({ results: z.array(z.object({ url: z.string(), title: z.string(), description: text, page_age: text })) })
    .optional(),
});
const braveError = z.object({ error: z.object({ detail: text, code: text }) });

function brave(base: string, key: string): SearchEngine {
  return {
    name: 'Brave Search',
    base,
    async search(fetch, { query, count }, signal) {
      const url = at(base, '/res/v1/web/search');
      url.search = new URLSearchParams({ q: query, count: String(Math.min(count, 20)) }).toString();
      const headers = { accept: 'application/json', 'x-subscription-token': key };
      const response = await fetch(url, { signal, headers, redirect: 'error' });
      const body = await jsonOrNothing('Brave Search', response);
      if (!response.ok) {
        const { detail, code } = braveError.safeParse(body).data?.error ?? {};
        throw faultOf('Brave Search', response, detail ?? code ?? '');
      }
      const { web } = parsed('Brave Search', braveAnswer, body);
      return { hits: (web?.results ?? []).slice(0, count).map((r) => hit(r.title, r.url, r.description, r.page_age)) };
    },
  };
}

const tavilyAnswer = z.object({
  answer: text,
  results: z.array(z.object({ url: z.string(), title: z.string(), content: text, published_date: text })),
});
const tavilyError = z.object({
  detail: z.union([z.string(), z.object({ error: z.string() }).transform((d) => d.error)]),
});

function tavily(base: string, key: string): SearchEngine {
  return {
    name: 'Tavily',
    base,
    async search(fetch, { query, count }, signal) {
      const response = await fetch(at(base, '/search'), {
        method: 'POST',
        signal,
        redirect: 'error',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query, max_results: Math.min(count, 20), search_depth: 'basic', include_answer: true }),
      });
      const body = await jsonOrNothing('Tavily', response);
      if (!response.ok) throw faultOf('Tavily', response, tavilyError.safeParse(body).data?.detail ?? '');
      const { results, answer } = parsed('Tavily', tavilyAnswer, body);
      return {
        hits: results.slice(0, count).map((r) => hit(r.title, r.url, r.content, r.published_date)),
        ...(answer ? { answer: answer.slice(0, 2000) } : {}),
      };
    },
  };
}

function parsed<S extends z.ZodType>(provider: string, schema: S, body: unknown): z.output<S> {
  const found = schema.safeParse(body);
  if (found.success) return found.data;
  const message = `${provider} answered in a form that is not known: ${z.prettifyError(found.error).slice(0, 500)}`;
  throw new ToolFailure({ code: 'provider_answer', message });
}
