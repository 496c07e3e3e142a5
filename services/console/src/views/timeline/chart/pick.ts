import { endOf, type Span } from '../model/spans.ts';

/** A bar by its call and its place among the call's bars. */
export interface Picked {
  readonly call: number;
  readonly place: number;
}

export type Step = 'left' | 'right' | 'up' | 'down' | 'first' | 'last';

/** Where an arrow key leads from a bar: along the call, or to the bar of the next call that lies nearest in time. */
export function step(calls: readonly Span[][], from: Picked | undefined, how: Step, now: number): Picked | undefined {
  if (!from) return calls.length > 0 ? { call: 0, place: 0 } : undefined;
  const { call, place } = from;
  const bars = calls[call] ?? [];
  switch (how) {
    case 'left':
      return { call, place: Math.max(0, place - 1) };
    case 'right':
      return { call, place: Math.min(bars.length - 1, place + 1) };
    case 'first':
      return { call, place: 0 };
    case 'last':
      return { call, place: bars.length - 1 };
    default: {
      const next = call + (how === 'up' ? -1 : 1);
      const there = calls[next];
      if (!there || there.length === 0) return from;
      return { call: next, place: nearest(there, middle(bars[place], now), now) };
    }
  }
}

/** The bar of a call at a time, or within `reach` milliseconds of it. */
export function barAt(bars: readonly Span[] | undefined, time: number, reach: number, now: number): number | undefined {
  if (!bars || bars.length === 0) return undefined;
  const place = nearest(bars, time, now);
  return distance(bars[place]!, time, now) <= reach ? place : undefined;
}

const middle = (span: Span | undefined, now: number): number => (span ? (span.from + endOf(span, now)) / 2 : now);
const distance = (span: Span, time: number, now: number): number =>
  Math.max(span.from - time, time - endOf(span, now), 0);

/** Of two that touch, the later one: a bar begins where the one before it ends. */
function nearest(bars: readonly Span[], time: number, now: number): number {
  let best = 0;
  bars.forEach((bar, place) => {
    if (distance(bar, time, now) <= distance(bars[best]!, time, now)) best = place;
  });
  return best;
}
