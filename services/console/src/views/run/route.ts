import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import type { RunSearch } from './search.ts';

/** The run of the address `/runs/:id`. */
export const useRunId = (): string => (useParams({ strict: false }) as { id?: string }).id ?? '';

/** Its part of the address, as `runSearch` has read it. */
export const useRunSearch = (): RunSearch => useSearch({ strict: false }) as RunSearch;

const STAY = { to: '.', resetScroll: false } as const;

/** Of a link to a call, in whatever tab. */
export const toCall = (call: number) => ({ ...STAY, search: (before: RunSearch) => ({ ...before, call }) });

/** Of a link that chooses no call any longer: what runs is followed. */
export const TO_WHAT_RUNS = {
  ...STAY,
  search: ({ call: _, ...rest }: RunSearch): RunSearch => rest,
  activeOptions: { exact: true },
};

/** Changes that part and stays where one is. */
export function useChangeSearch(): (change: (before: RunSearch) => RunSearch) => void {
  const navigate = useNavigate();
  return useCallback((change) => void navigate({ to: '.', search: change as never, resetScroll: false }), [navigate]);
}
