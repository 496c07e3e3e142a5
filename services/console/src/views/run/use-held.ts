import { type FocusEvent, type RefObject, useEffect, useState } from 'react';
import { useNow } from '../../ui/index.ts';

export interface Held {
  /** What is held; absent: nothing. */
  readonly held: number | undefined;
  /** Somebody begins to work on it. */
  readonly hold: (shown: number) => void;
  /** Focus goes somewhere: perhaps away. */
  readonly onBlur: (event: FocusEvent) => void;
}

/**
 * Holds what is shown while somebody works in it, also in a dialog that it opened: what is followed must not be taken from
 * under their hands.
 */
export function useHeld(place: RefObject<HTMLElement | null>, followed: number): Held {
  const [held, setHeld] = useState<number>();
  const second = useNow(held !== undefined);
  // What had the focus may be gone without a word, as a button that was pressed and is no longer offered.
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked at when something may have changed, and every second.
  useEffect(() => {
    if (!isAtWork(place.current, document.activeElement)) setHeld(undefined);
  }, [followed, second, place]);
  return {
    held,
    hold: setHeld,
    onBlur: ({ relatedTarget }) => {
      // Who turns to another window comes back to what they left.
      if (document.hasFocus() && !isAtWork(place.current, relatedTarget)) setHeld(undefined);
    },
  };
}

const isAtWork = (place: HTMLElement | null, target: EventTarget | null): boolean =>
  target instanceof Element &&
  (place?.contains(target) === true || target.closest('[role="dialog"], [role="alertdialog"]') !== null);
