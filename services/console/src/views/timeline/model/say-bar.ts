import { clockTime, duration } from '../../../format/index.ts';
import { sinceStart } from './elapsed.ts';
import { endOf, type Span } from './spans.ts';
import { attemptWord, KIND_WORDS } from './words.ts';

/**
 * `Call 3, os-write: running, attempt 1, for 2.3 s, from 1.20 s (14:03:59) to 3.50 s: succeeded.` Without `now` how long a bar
 * lasts that goes on is left out: then what is said stays the same until it ends.
 */
export function sayBar(span: Span, name: string, origin: number, now?: number): string {
  const lasts =
    span.to === undefined && now === undefined ? '' : `, for ${duration(endOf(span, now ?? 0) - span.from)}`;
  const until = span.to === undefined ? ', and goes on' : ` to ${sinceStart(span.to, origin)}`;
  const outcome = span.outcome === undefined ? '' : `: ${span.outcome}`;
  const what = `${KIND_WORDS[span.kind].toLowerCase()}, ${attemptWord(span)}`;
  return `Call ${span.call + 1}, ${name}: ${what}${lasts}, from ${sinceStart(span.from, origin)} (${clockTime(span.from)})${until}${outcome}.`;
}
