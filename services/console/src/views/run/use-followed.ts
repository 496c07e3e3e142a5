import { useRunSelector } from '@toolstream/react';
import { useRef } from 'react';
import { followedCall } from './model/followed.ts';

/** Index of the call that is followed while nobody chose one. */
export function useFollowed(id: string): number {
  const last = useRef<number | undefined>(undefined);
  return useRunSelector(id, ({ run }) => {
    if (!run) return 0;
    last.current = followedCall(run, last.current);
    return last.current;
  });
}
