import { type PointerEvent, type RefObject, useEffect, useEffectEvent, useRef } from 'react';
import type { Axis } from '../use-viewport.ts';

export interface PointerOptions {
  readonly axis: Axis;
  /** What the axis is drawn on; its width. */
  readonly plot: RefObject<HTMLElement | null>;
  readonly width: number;
  /** A press without a drag. */
  readonly onPress: (share: number, target: Element) => void;
  readonly onHover: (share: number | undefined, target: Element) => void;
}

const DRAG_PX = 4;
const WHEEL_STEP = 500;

/** Wheel and pinch zoom about the pointer, sideways scrolling and dragging pan. A plain wheel scrolls the page. */
export function usePointer(ref: RefObject<HTMLElement | null>, options: PointerOptions) {
  const { axis, plot, width, onPress, onHover } = options;
  const drag = useRef<{ id: number; x: number; moved: boolean } | undefined>(undefined);

  const shareAt = (clientX: number): number => {
    const box = plot.current?.getBoundingClientRect();
    return width === 0 || !box ? 0 : (clientX - box.left) / width;
  };

  const onWheel = useEffectEvent((event: WheelEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      event.preventDefault();
      axis.zoom(2 ** (event.deltaY / WHEEL_STEP), shareAt(event.clientX));
      return;
    }
    const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
    if (Math.abs(sideways) <= Math.abs(event.shiftKey ? 0 : event.deltaY) || width === 0) return;
    event.preventDefault();
    axis.pan(sideways / width);
  });
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const listener = (event: WheelEvent) => onWheel(event);
    // React's own wheel listener is passive, and a zoom must not scroll the page as well.
    element.addEventListener('wheel', listener, { passive: false });
    return () => element.removeEventListener('wheel', listener);
  }, [ref]);

  return {
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      drag.current = { id: event.pointerId, x: event.clientX, moved: false };
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      // Let go of where this element did not hear of it.
      if (event.buttons === 0) drag.current = undefined;
      const held = drag.current;
      if (held?.id !== event.pointerId || width === 0) {
        if (event.pointerType === 'mouse') onHover(shareAt(event.clientX), event.target as Element);
        return;
      }
      const by = event.clientX - held.x;
      if (!held.moved && Math.abs(by) < DRAG_PX) return;
      if (!held.moved) event.currentTarget.setPointerCapture(event.pointerId);
      held.moved = true;
      held.x = event.clientX;
      axis.pan(-by / width);
    },
    onPointerUp: (event: PointerEvent<HTMLElement>) => {
      const held = drag.current;
      drag.current = undefined;
      if (held && !held.moved) onPress(shareAt(event.clientX), event.target as Element);
    },
    onPointerCancel: () => {
      drag.current = undefined;
    },
    onPointerLeave: (event: PointerEvent<HTMLElement>) => onHover(undefined, event.target as Element),
  };
}
