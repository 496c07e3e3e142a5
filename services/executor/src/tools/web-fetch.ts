import { defineTool, type ToolContext, ToolFailure } from '@toolstream/tool-kit';
import { z } from 'zod';
import { clipped } from './files/text.ts';
import { faultOf, Provider } from './providers/provider.ts';
import { decodePage } from './web/charset.ts';

const MAX_BYTES = 8 * 1024 * 1024;
const TEXTUAL = /^(text\/|application\/(json|xml|javascript|[\w.-]+\+(json|xml)|x-ndjson|yaml)|image\/svg\+xml)/;

export const webFetch = defineTool({
  name: 'web_fetch',
  description:
    'Fetch a public web page or text document by its address. Pages come as Markdown, reduced to their article where one is found; JSON and plain text come as they are. For long ones, go on with `offset`.',
  input: z.object({
    url: z.string().min(1).max(2048).describe('Complete http(s) address'),
    format: z.enum(['markdown', 'raw']).default('markdown').describe('raw: the page as it was sent'),
    offset: z.number().int().min(0).default(0).describe('Characters to skip: `next_offset` of the part before'),
    max_chars: z.number().int().min(100).max(200_000).default(30_000).describe('Characters to return at most'),
  }),
  idempotent: true,
  // Reading a large page is work.
  isolation: 'thread',
  timeoutMs: 90_000,
  retries: { max_attempts: 2, initial_ms: 2_000 },
  estimatedMs: 2500,

  async run(ctx, { url, format, offset, max_chars }) {
    await ctx.progress({ stage: 'connecting', message: `Connecting to ${hostOf(url)}` });
    // No two pages share their health: there is nothing for a breaker to learn.
    const site = new Provider(hostOf(url), { failuresToOpen: Number.MAX_SAFE_INTEGER, attemptTimeoutMs: 40_000 });
    const { response, bytes } = await site.call(
      ctx,
      (signal) => download(ctx, url, signal),
      ({ delayMs, reason }) =>
        void ctx.progress({ stage: 'connecting', message: `${reason} Trying again in ${Math.ceil(delayMs)} ms` }),
    );
    const contentType = response.headers.get('content-type') ?? 'text/html';
    const text = decodePage(bytes, contentType);
    const isPage = /^(text\/html|application\/xhtml\+xml)/i.test(contentType);
    let content = text;
    let facts: { title?: string; byline?: string; published?: string } = {};
    if (isPage && format === 'markdown') {
      await ctx.progress({
        stage: 'extracting',
        message: 'Extracting the readable text',
        details: { bytes_received: bytes.byteLength },
      });
      const { markdown, article, ...rest } = await readPage(text, response.url);
      content = markdown;
      facts = { ...rest };
    }
    const end = Math.min(content.length, offset + max_chars);
    const result = {
      url: response.url,
      status: response.status,
      content_type: contentType,
      ...facts,
      content: content.slice(offset, end),
      total_chars: content.length,
      bytes_received: bytes.byteLength,
      ...(end < content.length ? { next_offset: end } : {}),
    };
    await ctx.progress({
      stage: 'complete',
      message: clipped(`Fetched ${facts.title ?? response.url}`, 300),
      progress: 100,
      details: { bytes_received: bytes.byteLength, total_chars: content.length },
    });
    return result;
  },
});

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'the address');

async function download(ctx: ToolContext, url: string, signal: AbortSignal) {
  const response = await ctx.fetch(url, { signal, headers: { accept: 'text/html, text/*;q=0.9, */*;q=0.5' } });
  if (!response.ok) {
    await response.body?.cancel();
    throw pageFault(url, response);
  }
  const type = response.headers.get('content-type') ?? 'text/html';
  if (!TEXTUAL.test(type) && !/^application\/xhtml/.test(type)) {
    await response.body?.cancel();
    throw new ToolFailure({ code: 'not_text', message: `${response.url} is ${type}, which cannot be read as text.` });
  }
  // What was compressed says no length of what it unfolds to: then there is no percentage.
  const total = Number(response.headers.get('content-length') ?? Number.NaN);
  const pieces: Uint8Array[] = [];
  let received = 0;
  for await (const piece of response.body ?? []) {
    received += piece.byteLength;
    if (received > MAX_BYTES) {
      throw new ToolFailure({ code: 'response_too_large', message: `${url} has more than ${MAX_BYTES} bytes.` });
    }
    pieces.push(piece);
    await ctx.progress({
      stage: 'downloading',
      message: `Downloading ${new URL(response.url).host}`,
      ...(total > 0 ? { progress: Math.floor(Math.min(1, received / total) * 100) } : {}),
      details: { bytes_received: received, ...(total > 0 ? { total_bytes: total } : {}) },
    });
  }
  return { response, bytes: Buffer.concat(pieces) };
}

function pageFault(url: string, response: Response): ToolFailure {
  const fault = faultOf(hostOf(url), response, '');
  if (fault.retryable) return fault;
  return new ToolFailure({ code: 'http_error', message: `${url} answered ${response.status}.` });
}

/** What reads pages is loaded by the thread that first reads one. A page may be nested deeper than any stack. */
async function readPage(html: string, url: string) {
  const { readable } = await import('./web/readable.ts');
  try {
    return readable(html, url);
  } catch (cause) {
    throw new ToolFailure({ code: 'unreadable', message: `${url} could not be read; ask for it as raw.`, cause });
  }
}
