/** The part of the time axis that is seen, in milliseconds since 1970. */
export interface Viewport {
  readonly from: number;
  readonly to: number;
}

/** Narrower than this there is nothing more to see: events have milliseconds. */
const NARROWEST_MS = 10;
const MARGIN = 0.02;
/** Times of our days are told apart by some ten-thousandths of a millisecond: what lacks less than this is everything. */
const SAME_MS = 0.01;

/** Everything, with a little air. */
export function fit(extent: Viewport): Viewport {
  const width = Math.max(extent.to - extent.from, NARROWEST_MS);
  return { from: extent.from - width * MARGIN, to: extent.from + width * (1 + MARGIN) };
}

/** `factor` < 1 shows less, larger. What is at `anchor` stays where it is. Never more than everything. */
export function zoom(view: Viewport, factor: number, anchor: number, extent: Viewport): Viewport {
  const all = fit(extent);
  const width = view.to - view.from;
  const wanted = Math.min(Math.max(width * factor, NARROWEST_MS), all.to - all.from);
  const share = width === 0 ? 0 : (anchor - view.from) / width;
  return within({ from: anchor - share * wanted, to: anchor + (1 - share) * wanted }, all);
}

export const pan = (view: Viewport, by: number, extent: Viewport): Viewport =>
  within({ from: view.from + by, to: view.to + by }, fit(extent));

/** The same width, moved only as far as it takes to have this time in sight. */
export function reveal(view: Viewport, time: number, extent: Viewport): Viewport {
  const air = (view.to - view.from) * 0.1;
  if (time < view.from) return pan(view, time - air - view.from, extent);
  if (time > view.to) return pan(view, time + air - view.to, extent);
  return view;
}

/** 0 at the left edge, 1 at the right one. */
export const shareOf = (view: Viewport, time: number): number => (time - view.from) / (view.to - view.from);
export const timeAt = (view: Viewport, share: number): number => view.from + share * (view.to - view.from);

function within(view: Viewport, all: Viewport): Viewport {
  const width = view.to - view.from;
  if (width > all.to - all.from - SAME_MS) return all;
  if (view.from < all.from) return { from: all.from, to: all.from + width };
  if (view.to > all.to) return { from: all.to - width, to: all.to };
  return view;
}
