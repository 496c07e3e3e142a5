import { useSyncExternalStore } from 'react';

/** What a person chose; `system` follows the device. Kept in this browser. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'toolstream.theme';
const listeners = new Set<() => void>();
let chosen: Theme = 'system';

/** Before anything is painted, so that no page flashes in the wrong colours. */
export function beginTheme(): void {
  apply(themeOf(read()));
  // Another tab chose.
  window.addEventListener('storage', ({ key, newValue }) => {
    if (key === KEY) apply(themeOf(newValue));
  });
}

export function chooseTheme(theme: Theme): void {
  try {
    if (theme === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Storage may be forbidden: the choice holds for this page.
  }
  apply(theme);
}

export function useTheme(): Theme {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => chosen,
  );
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

const themeOf = (kept: string | null): Theme => (kept === 'light' || kept === 'dark' ? kept : 'system');

function apply(theme: Theme): void {
  chosen = theme;
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}
