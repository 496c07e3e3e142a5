import { useEffect, useRef } from 'react';
import { isForShortcuts } from './shortcuts.ts';

/** A key that a view gives a meaning while it is open; the list of keys (`?`) shows it. */
export interface ViewShortcut {
  /** As `KeyboardEvent.key` has it. */
  readonly key: string;
  readonly words: string;
  readonly act: () => void;
}

const registered = new Set<{ readonly current: readonly ViewShortcut[] }>();

/** What the keys do in the views that are open now. */
export const viewShortcuts = (): readonly ViewShortcut[] => [...registered].flatMap(({ current }) => current);

/** The keys work while the component is there. Nothing is taken while somebody types, or in a dialog. */
export function useShortcuts(shortcuts: readonly ViewShortcut[]): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    registered.add(latest);
    if (registered.size === 1) document.addEventListener('keydown', onKey);
    return () => {
      registered.delete(latest);
      if (registered.size === 0) document.removeEventListener('keydown', onKey);
    };
  }, []);
}

function onKey(event: KeyboardEvent): void {
  if (!isForShortcuts(event)) return;
  const shortcut = viewShortcuts().find(({ key }) => key === event.key);
  if (!shortcut) return;
  event.preventDefault();
  shortcut.act();
}
