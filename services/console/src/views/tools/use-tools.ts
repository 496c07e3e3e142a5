import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useToolstream } from '@toolstream/react';
import { useMemo } from 'react';
import { type ToolRow, toolRows } from './model/tool-rows.ts';
import type { TrendWindow } from './model/trend.ts';
import { type ToolsWindow, WINDOWS } from './search.ts';

/** How often executors are asked for what they announce. */
const LISTING_MS = 15_000;

export interface Tools {
  /** Absent until the tools are known. Figures may come later. */
  readonly rows: readonly ToolRow[] | undefined;
  /** Whether what has no figures was not called: before that nothing is known. */
  readonly isCounted: boolean;
  /** What the figures' trends cover; absent until there are figures. */
  readonly window: TrendWindow | undefined;
  readonly error: Error | null;
  readonly at: number;
  readonly retry: () => void;
}

/** What is announced, and what happened over the window: read again by itself while `isLive`. */
export function useTools(window: ToolsWindow, isLive: boolean): Tools {
  const client = useToolstream();
  const { buckets, everyMs, ms } = WINDOWS[window];
  const listing = useQuery({
    queryKey: ['tools'],
    queryFn: ({ signal }) => client.tools({ signal }),
    refetchInterval: isLive && LISTING_MS,
  });
  const stats = useQuery({
    queryKey: ['stats', window, buckets],
    queryFn: ({ signal }) => client.stats(window, { buckets, signal }),
    refetchInterval: isLive && everyMs,
    placeholderData: keepPreviousData,
  });
  const { data: announced } = listing;
  const { data: counted, dataUpdatedAt: at } = stats;
  const rows = useMemo(() => announced && toolRows(announced.tools, counted?.tools ?? []), [announced, counted]);
  const trends = useMemo(
    () =>
      counted?.bucket_ms === undefined
        ? undefined
        : { until: at, windowMs: counted.window_ms || ms, bucketMs: counted.bucket_ms },
    [counted, at, ms],
  );
  return {
    rows,
    isCounted: counted !== undefined,
    window: trends,
    error: listing.error ?? stats.error,
    at,
    retry: () => {
      void listing.refetch();
      void stats.refetch();
    },
  };
}
