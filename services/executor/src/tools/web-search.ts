import { defineTool } from '@toolstream/tool-kit';
import { z } from 'zod';
import { Provider } from './providers/provider.ts';
import { toolSettings } from './settings.ts';
import { type SearchEngine, searchEngine } from './web/search-providers.ts';

/** By address: what one call learns of a provider's health holds for all of this process. */
const providers = new Map<string, Provider>();

function providerOf({ name, base }: SearchEngine): Provider {
  const present = providers.get(base);
  if (present) return present;
  const made = new Provider(name);
  providers.set(base, made);
  return made;
}

export const webSearch = defineTool({
  name: 'web_search',
  description:
    'Search the web. Gives title, address and a snippet of each result, best first; read a page in full with web_fetch.',
  input: z.object({
    query: z.string().trim().min(1).max(400).describe('What to search for'),
    max_results: z.number().int().min(1).max(20).default(8),
  }),
  idempotent: true,
  // It awaits the network and reads a short answer; and what it learns about the provider is to be shared.
  isolation: 'inline',
  timeoutMs: 60_000,
  retries: { max_attempts: 2, initial_ms: 2_000 },
  estimatedMs: 1500,

  async run(ctx, { query, max_results }) {
    const engine = searchEngine(toolSettings());
    await ctx.progress({ stage: 'preparing', message: `Preparing to search with ${engine.name}`, details: { query } });
    let calls = 0;
    const searching = (message: string) =>
      ctx.progress({
        stage: 'searching',
        message,
        details: { query, provider: engine.name, api_calls_made: calls },
      });
    await searching(`Searching the web for ${query}`);
    const { hits, answer } = await providerOf(engine).call(
      ctx,
      (signal) => {
        calls += 1;
        return engine.search(ctx.fetch, { query, count: max_results }, signal);
      },
      ({ delayMs, reason }) => void searching(`${reason} Trying again in ${Math.ceil(delayMs)} ms`),
    );
    const details = { query, provider: engine.name, api_calls_made: calls, results_found: hits.length };
    await ctx.progress({ stage: 'processing', message: `Reading ${hits.length} result(s)`, details });
    const results = hits.filter(({ url }) => /^https?:\/\//i.test(url));
    await ctx.progress({ stage: 'complete', message: `Found ${results.length} result(s)`, progress: 100, details });
    return { query, provider: engine.name, results, ...(answer === undefined ? {} : { answer }) };
  },
});
