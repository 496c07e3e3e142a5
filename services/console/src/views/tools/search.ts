/** What of the tools is shown: kept in the address, so that it can be shared and survives a reload. */
export interface ToolsSearch {
  /** The tool that is looked at; absent: the list. */
  readonly tool?: string;
  /** Absent: an hour. */
  readonly window?: ToolsWindow;
  readonly q?: string;
  readonly pool?: string;
  readonly show?: Show;
  readonly sort?: Sort;
}

/** Windows that stats are asked for, in how many parts, and how often again. */
export const WINDOWS = {
  '1h': { label: 'Last hour', ms: 3_600_000, buckets: 30, everyMs: 5_000 },
  '1d': { label: 'Last 24 hours', ms: 86_400_000, buckets: 48, everyMs: 15_000 },
  '7d': { label: 'Last 7 days', ms: 7 * 86_400_000, buckets: 42, everyMs: 60_000 },
  '31d': { label: 'Last 31 days', ms: 31 * 86_400_000, buckets: 31, everyMs: 60_000 },
} as const;
export type ToolsWindow = keyof typeof WINDOWS;
export const DEFAULT_WINDOW: ToolsWindow = '1h';

export const SHOWS = {
  all: 'All tools',
  called: 'Called in this time',
  failing: 'With failures',
  gone: 'No longer announced',
} as const;
export type Show = keyof typeof SHOWS;

export const SORTS = {
  name: 'Name',
  calls: 'Most calls',
  failures: 'Most failures',
  success: 'Lowest success rate',
  slow: 'Longest duration (p95)',
  queue: 'Longest queue time (p95)',
} as const;
export type Sort = keyof typeof SORTS;

/** What an address says, as far as it makes sense. */
export function toolsSearch(raw: Record<string, unknown>): ToolsSearch {
  const tool = text(raw.tool, 256);
  const q = text(raw.q, 200);
  const pool = text(raw.pool, 64);
  return {
    ...(tool === undefined ? {} : { tool }),
    ...(isKey(WINDOWS, raw.window) && raw.window !== DEFAULT_WINDOW ? { window: raw.window } : {}),
    ...(q === undefined ? {} : { q }),
    ...(pool === undefined ? {} : { pool }),
    ...(isKey(SHOWS, raw.show) && raw.show !== 'all' ? { show: raw.show } : {}),
    ...(isKey(SORTS, raw.sort) && raw.sort !== 'name' ? { sort: raw.sort } : {}),
  };
}

/** A tool called `42` comes back from an address as a number. */
function text(value: unknown, longest: number): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const found = String(value);
  return found === '' || found.length > longest ? undefined : found;
}

const isKey = <T extends object>(of: T, value: unknown): value is keyof T & string =>
  typeof value === 'string' && Object.hasOwn(of, value);
