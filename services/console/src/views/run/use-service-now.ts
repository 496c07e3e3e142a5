import { useRunSelector } from '@toolstream/react';
import { useNow } from '../../ui/index.ts';

/** The service's time, to the second, while `ticking`: instants in a run's state are of that clock. */
export function useServiceNow(id: string, ticking: boolean): number {
  const ahead = useRunSelector(id, ({ aheadMs }) => aheadMs);
  return useNow(ticking) + ahead;
}
