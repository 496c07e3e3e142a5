import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { RunFilter } from '@toolstream/client';
import { isRunEnded, type RunListItem } from '@toolstream/proto-events';
import { useToolstream } from '@toolstream/react';
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { announce } from '../../ui/index.ts';
import { APPS_AT_MOST, LiveRuns } from './live-runs.ts';
import { changesInWords } from './row.ts';
import { LIVE_STATUSES, type RunsSearch, SINCE_MS } from './search.ts';

const PAGE_SIZE = 50;
const BUSY_MS = 2_000;
const CALM_MS = 5_000;

/**
 * One page of the list. The newest page is asked for again all the time, more often while something runs; runs of the apps
 * that are on it are followed live, and a run that nobody listed yet makes the list be asked for at once.
 */
export function useRunsPage(search: RunsSearch) {
  const client = useToolstream();
  const query = useQuery({
    queryKey: ['runs', search],
    queryFn: ({ signal }) => client.list(filterOf(search, Date.now()), { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.runs.some(isLive) ? BUSY_MS : CALM_MS),
  });
  const { refetch } = query;
  const runs = query.data?.runs ?? NONE;
  const live = useLiveRuns(search.app, runs);
  useAnnouncedChanges(query.isPlaceholderData ? undefined : runs, JSON.stringify(search));
  const ids = useSyncExternalStore(live.subscribe, live.ids);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another set of live runs is a reason, and not what the list says
  useEffect(() => {
    const listed = new Set(runs.map(({ run_id }) => run_id));
    const unlisted = ids !== '' && ids.split(',').some((id) => !listed.has(id));
    if (search.before === undefined && unlisted) void refetch();
  }, [ids, refetch, search.before]);
  return { ...query, runs, next: query.data?.next, live };
}

const NONE: readonly RunListItem[] = [];
const isLive = ({ status }: RunListItem): boolean => !isRunEnded(status);

function filterOf({ app, status, tool, since, before }: RunsSearch, now: number): RunFilter {
  return {
    limit: PAGE_SIZE,
    ...(app === undefined ? {} : { app }),
    ...(status === undefined ? {} : { status: status === 'live' ? LIVE_STATUSES : status }),
    ...(tool === undefined ? {} : { tool }),
    ...(since === undefined ? {} : { since: new Date(now - SINCE_MS[since]).toISOString() }),
    ...(before === undefined ? {} : { before }),
  };
}

/** The app that is asked for, or those on the page, first those where something runs: a new run of theirs is seen at once. */
function useLiveRuns(app: string | undefined, runs: readonly RunListItem[]): LiveRuns {
  const client = useToolstream();
  const live = useMemo(() => new LiveRuns(client), [client]);
  const ordered = [...runs.filter(isLive), ...runs].map((run) => run.app);
  const apps = app ?? [...new Set(ordered)].slice(0, APPS_AT_MOST).join();
  useEffect(() => live.follow(apps === '' ? [] : apps.split(',')), [live, apps]);
  useEffect(() => () => live.close(), [live]);
  return live;
}

function useAnnouncedChanges(runs: readonly RunListItem[] | undefined, of: string): void {
  const last = useRef<{ of: string; runs: readonly RunListItem[] }>(undefined);
  useEffect(() => {
    if (runs === undefined) return;
    const before = last.current?.of === of ? last.current.runs : undefined;
    last.current = { of, runs };
    const words = before && changesInWords(before, runs);
    if (words !== undefined) announce(words, 'runs');
  }, [runs, of]);
}
