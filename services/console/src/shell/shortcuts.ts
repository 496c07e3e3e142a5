import { PLACES } from './places.ts';

export interface Shortcut {
  readonly keys: readonly string[];
  readonly words: string;
  /** After `g`: where to. */
  readonly letter?: string;
  readonly to?: string;
}

/** What the keys do everywhere; a view's own controls are reached by Tab and the arrow keys. */
export function shortcutsOf(paths: readonly string[]): readonly Shortcut[] {
  return [
    { keys: ['?'], words: 'Show this list' },
    ...PLACES.filter(({ to }) => paths.includes(to)).map(({ key, to, label }) => ({
      keys: ['g', key],
      words: `Go to ${label.toLowerCase()}`,
      letter: key,
      to,
    })),
    { keys: ['Tab'], words: 'To the next control' },
    { keys: ['↑', '↓'], words: 'Within a list, a table or tabs' },
    { keys: ['Enter'], words: 'Open what is chosen' },
    { keys: ['Esc'], words: 'Close what is open' },
  ];
}

/** A key pressed there is text, or belongs to a widget with its own use for letters. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.closest('input, textarea, select, [role="listbox"], [role="menu"], [role="dialog"]') !== null);
