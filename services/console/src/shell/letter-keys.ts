import { useSyncExternalStore } from 'react';

const KEY = 'toolstream.letter-keys';
const listeners = new Set<() => void>();
let on = read();

/**
 * Whether single letters do something. Who speaks to the computer, or hits keys by chance, turns them off (WCAG 2.1.4); that is
 * kept in this browser.
 */
export const letterKeysAreOn = (): boolean => on;

export function turnLetterKeys(value: boolean): void {
  on = value;
  try {
    if (value) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, 'off');
  } catch {
    // Storage may be forbidden: the choice holds for this page.
  }
  for (const listener of listeners) listener();
}

export const useLetterKeys = (): boolean =>
  useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, letterKeysAreOn);

function read(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}
