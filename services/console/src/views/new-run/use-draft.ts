import { useNavigate } from '@tanstack/react-router';
import { useToolstream } from '@toolstream/react';
import { type Dispatch, useEffect, useEffectEvent, useReducer, useState } from 'react';
import { type Draft, type DraftAction, EMPTY_DRAFT, evolveDraft } from './model/draft.ts';
import { draftFrom } from './model/from-run.ts';
import { isEmpty, keepDraft, keptDraft } from './model/kept-draft.ts';
import { newRunRoute } from './route.ts';

export interface UsedDraft {
  readonly draft: Draft;
  readonly change: Dispatch<DraftAction>;
  /** What stood here before a run's calls took its place. */
  readonly aside: Draft | undefined;
  readonly bringBack: () => void;
  /** The run whose calls are on their way here. */
  readonly loading: string | undefined;
  readonly error: unknown;
}

/**
 * The draft of this tab. What the address asks for (a run's calls, an app) is taken over once and leaves the address, so that a
 * reload keeps what was changed since.
 */
export function useDraft(): UsedDraft {
  const { from, app } = newRunRoute.useSearch();
  const client = useToolstream();
  const navigate = useNavigate();
  const [draft, change] = useReducer(evolveDraft, undefined, () => keptDraft(sessionStorage) ?? EMPTY_DRAFT);
  const [aside, setAside] = useState<Draft>();
  const [error, setError] = useState<unknown>();

  useEffect(() => keepDraft(sessionStorage, draft), [draft]);

  // The draft is set aside as it is when the run's calls arrive: somebody may have gone on writing.
  const takeOver = useEffectEvent(async (taken: Draft) => {
    if (!isEmpty(draft)) setAside(draft);
    change({ type: 'replace', draft: taken });
    await navigate({ to: '/new', search: {}, replace: true });
  });
  useEffect(() => {
    if (from === undefined) return;
    const abort = new AbortController();
    setError(undefined);
    const take = async () => {
      const run = await client.get(from, { signal: abort.signal });
      const taken = await draftFrom(run, client);
      if (!abort.signal.aborted) await takeOver(taken);
    };
    take().catch((refused: unknown) => {
      if (!abort.signal.aborted) setError(refused);
    });
    return () => abort.abort();
  }, [from, client]);

  useEffect(() => {
    if (app === undefined || from !== undefined) return;
    change({ type: 'set', change: { app } });
    void navigate({ to: '/new', search: {}, replace: true });
  }, [app, from, navigate]);

  return {
    draft,
    change,
    aside,
    bringBack: () => {
      if (aside) change({ type: 'replace', draft: aside });
      setAside(undefined);
    },
    loading: error === undefined ? from : undefined,
    error,
  };
}
