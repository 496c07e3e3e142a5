const FRAMES_AT_MOST = 120;
/** The list needs some frames to get where it is told to. */
const FRAMES_OF_A_TRY = 8;
const STILL_FRAMES = 12;

/**
 * Has a row shown, and looks whether it is: rows have their real heights only once they are rendered, so the way there may
 * lead past it. `approach` is tried again until the row stays in sight.
 */
export function reveal(scroller: HTMLElement, find: () => Element | null, approach: () => void): void {
  let frame = 0;
  let still = 0;
  requestAnimationFrame(function look() {
    still = isInSight(scroller, find()) ? still + 1 : 0;
    if (still === 0 && frame % FRAMES_OF_A_TRY === 0) approach();
    if (still < STILL_FRAMES && ++frame < FRAMES_AT_MOST) requestAnimationFrame(look);
  });
}

function isInSight(scroller: HTMLElement, row: Element | null): boolean {
  if (!row) return false;
  const outer = scroller.getBoundingClientRect();
  const inner = row.getBoundingClientRect();
  const head = scroller.querySelector('thead')?.getBoundingClientRect().height ?? 0;
  return inner.top >= outer.top + head && inner.bottom <= outer.bottom;
}
