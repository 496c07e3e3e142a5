import { useCallback, useMemo, useState } from 'react';
import { fit, pan, reveal, timeAt, type Viewport, zoom } from './model/viewport.ts';

export interface Axis {
  readonly view: Viewport;
  /** Everything is seen, and goes on being seen while the run grows. */
  readonly fitted: boolean;
  readonly fit: () => void;
  /** `share`: the place that stays, from the left edge. */
  readonly zoom: (factor: number, share?: number) => void;
  /** By a part of the width that is seen. */
  readonly pan: (share: number) => void;
  readonly reveal: (time: number) => void;
}

/** The part of the time axis that is seen. */
export function useViewport(extent: Viewport): Axis {
  const [chosen, setChosen] = useState<Viewport>();
  const { from, to } = extent;
  const view = useMemo(() => chosen ?? fit({ from, to }), [chosen, from, to]);

  const change = useCallback(
    (next: (view: Viewport, extent: Viewport) => Viewport) =>
      setChosen((before) => {
        const all = fit({ from, to });
        const after = next(before ?? all, { from, to });
        return after.from <= all.from && after.to >= all.to ? undefined : after;
      }),
    [from, to],
  );
  return useMemo(
    () => ({
      view,
      fitted: chosen === undefined,
      fit: () => setChosen(undefined),
      zoom: (factor, share = 0.5) => change((before, all) => zoom(before, factor, timeAt(before, share), all)),
      pan: (share) => change((before, all) => pan(before, share * (before.to - before.from), all)),
      reveal: (time) => change((before, all) => reveal(before, time, all)),
    }),
    [view, chosen, change],
  );
}
