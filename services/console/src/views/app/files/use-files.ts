import { useInfiniteQuery } from '@tanstack/react-query';
import type { FileListing } from '@toolstream/client';
import { useToolstream } from '@toolstream/react';
import { useMemo } from 'react';
import { useAskedAgain } from '../use-asked-again.ts';

export interface Files {
  readonly files: readonly FileListing[] | undefined;
  readonly error: Error | null;
  readonly retry: () => void;
  /** There are more files than are listed. */
  readonly more: (() => void) | undefined;
}

/**
 * The app's files, a thousand at a time. Nothing announces a write of a file but the calls that make it, so they are asked for
 * anew after a call has ended (`changes` is another text then).
 */
export function useFiles(app: string, changes: string): Files {
  const client = useToolstream();
  useAskedAgain(['files', app], changes);
  const { data, error, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ['files', app],
    queryFn: ({ pageParam, signal }) =>
      client.files(app, { signal, ...(pageParam === undefined ? {} : { after: pageParam }) }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
  });
  const files = useMemo(() => data?.pages.flatMap((page) => page.files), [data]);
  return {
    files,
    error,
    retry: () => void refetch(),
    more: hasNextPage ? () => void fetchNextPage() : undefined,
  };
}
