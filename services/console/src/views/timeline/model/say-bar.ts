import { clockTime, duration } from '../../../format/index.ts';
import type { Span } from './spans.ts';
import { elapsed } from './ticks.ts';
import { attemptWord, KIND_WORDS } from './words.ts';

/** `Call 3, os-write: running, attempt 1, for 2.3 s, from 1.20 s (14:03:59) to 3.50 s: succeeded.` */
export function sayBar(span: Span, name: string, origin: number, now: number): string {
  const end = span.to ?? Math.max(span.from, now);
  const at = (time: number) => elapsed(Math.max(0, time - origin), time - origin < 60_000 ? 10 : 1_000);
  const until = span.to === undefined ? ', and goes on' : ` to ${at(span.to)}`;
  const outcome = span.outcome === undefined ? '' : `: ${span.outcome}`;
  const what = `${KIND_WORDS[span.kind].toLowerCase()}, ${attemptWord(span)}`;
  return `Call ${span.call + 1}, ${name}: ${what}, for ${duration(end - span.from)}, from ${at(span.from)} (${clockTime(span.from)})${until}${outcome}.`;
}
