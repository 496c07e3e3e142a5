import { type GuardedFetch, guardedFetch } from './guarded-fetch.ts';
import { fetchOptionsFrom } from './options.ts';
import type { ToolFetch } from './types.ts';

let shared: GuardedFetch | undefined;

/**
 * What a context fetches with unless it is told otherwise: guarded as this process's environment says, with one set of
 * connections for all tools of the process or thread. Nothing is loaded before the first request.
 */
export const toolFetch: ToolFetch = (input, init) => {
  shared ??= guardedFetch(fetchOptionsFrom(process.env));
  return shared.fetch(input, init);
};
