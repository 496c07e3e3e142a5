import { getRouteApi } from '@tanstack/react-router';
import { useCallback } from 'react';

/** The run view's address, of which the timeline and the events are two tabs. */
const route = getRouteApi('/runs/$id');

/** The cursor in the address. */
export const useAt = (): string | undefined => route.useSearch().at;

/** Changes the address in place: what somebody scrubs through is no history to go back through. */
export function useWriteAt(): (at: string | undefined) => void {
  const navigate = route.useNavigate();
  return useCallback(
    (at) =>
      void navigate({
        search: ({ at: _, ...rest }) => (at === undefined ? rest : { ...rest, at }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
}

/** Shows an event in the other tab. */
export function useShowIn(): (tab: 'timeline' | 'events', at: string | undefined) => void {
  const navigate = route.useNavigate();
  return useCallback(
    (tab, at) =>
      void navigate({
        search: ({ at: _, ...rest }) => ({ ...rest, tab, ...(at === undefined ? {} : { at }) }),
        resetScroll: false,
      }),
    [navigate],
  );
}
