import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

/** What the timeline and the events, two tabs of the run view, read and write of its address. */
interface Address {
  readonly tab?: string;
  /** A cursor: the moment that is shown. */
  readonly at?: string;
}

export const useAt = (): string | undefined => (useSearch({ strict: false }) as Address).at;

/** Changes the address in place: what somebody scrubs through is no history to go back through. */
export function useWriteAt(): (at: string | undefined) => void {
  const change = useChange();
  return useCallback((at) => change((before) => ({ ...before, at }), true), [change]);
}

/** Shows an event in the other tab. */
export function useShowIn(): (tab: 'timeline' | 'events', at: string | undefined) => void {
  const change = useChange();
  return useCallback((tab, at) => change((before) => ({ ...before, tab, at }), false), [change]);
}

/** Without one's own part being known to the router by type: the run view's `runSearch` says what it is. */
function useChange() {
  const navigate = useNavigate();
  return useCallback(
    (search: (before: Address) => { readonly at: string | undefined }, replace: boolean) =>
      void navigate({ to: '.', search: search as never, replace, resetScroll: false }),
    [navigate],
  );
}
