import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';

/** However fast calls end, the lists that depend on it are asked for this often at most. */
const EVERY_MS = 500;

/** Asks for what is under the key again, a moment after `signature` became another; the first one was asked for already. */
export function useAskedAgain(key: QueryKey, signature: string): void {
  const queries = useQueryClient();
  const seen = useRef(signature);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(key);
  useEffect(() => {
    latest.current = key;
  });
  useEffect(() => {
    if (signature === seen.current) return;
    seen.current = signature;
    // One that is on its way tells of this change as well.
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void queries.invalidateQueries({ queryKey: latest.current });
    }, EVERY_MS);
  }, [signature, queries]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
}
