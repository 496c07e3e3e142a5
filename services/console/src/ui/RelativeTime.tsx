import { fullTime, relativeTime } from '../format/index.ts';
import { useNow } from './useNow.ts';

/** `5 min ago`, kept current; the full time is its title. */
export function RelativeTime({ at }: { readonly at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={fullTime(at)}>
      {relativeTime(at, now)}
    </time>
  );
}
