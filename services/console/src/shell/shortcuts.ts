import { letterKeysAreOn } from './letter-keys.ts';
import { PLACES } from './places.ts';

export interface Shortcut {
  readonly keys: readonly string[];
  readonly words: string;
}

/** What the keys do everywhere; a view's own controls are reached by Tab and the arrow keys. */
export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ['?'], words: 'Show this list' },
  ...PLACES.map(({ key, label }) => ({ keys: ['g', key], words: `Go to ${label.toLowerCase()}` })),
  { keys: ['Tab'], words: 'To the next control' },
  { keys: ['↑', '↓'], words: 'Within a list, a table or tabs' },
  { keys: ['Enter'], words: 'Open what is chosen' },
  { keys: ['Esc'], words: 'Close what is open' },
];

/** Whether a key may be one of these: it has no other meaning, nobody types, and letters do something at all. */
export const isForShortcuts = (event: KeyboardEvent): boolean =>
  !event.defaultPrevented &&
  !event.ctrlKey &&
  !event.metaKey &&
  !event.altKey &&
  letterKeysAreOn() &&
  !isTyping(event.target);

/** A key pressed there is text, or belongs to a widget with its own use for letters. */
const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.closest('input, textarea, select, [role="listbox"], [role="menu"], [role="dialog"]') !== null);
