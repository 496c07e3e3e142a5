import { type Draft, type DraftCall, EMPTY_DRAFT } from './draft.ts';

const KEY = 'toolstream.new-run';
/** Session storage has room for some MB; a draft that does not fit is not kept, and the page works on. */
const MOST_CHARS = 2_000_000;

export interface DraftStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** The draft of this tab's session, as far as it is one: what stands there may be from another version of this page. */
export function keptDraft(storage: DraftStorage): Draft | undefined {
  try {
    const value = JSON.parse(storage.getItem(KEY) ?? 'null') as Partial<Draft> | null;
    if (!value || !Array.isArray(value.calls) || !value.calls.every(isCall)) return undefined;
    const { app = '', message_id = '', order = 'sequential', calls } = value;
    return { ...EMPTY_DRAFT, app, message_id, order, calls };
  } catch {
    return undefined;
  }
}

export function keepDraft(storage: DraftStorage, draft: Draft): void {
  try {
    const text = JSON.stringify(draft);
    if (isEmpty(draft) || text.length > MOST_CHARS) storage.removeItem(KEY);
    else storage.setItem(KEY, text);
  } catch {
    // No room, or no storage at all.
  }
}

export const isEmpty = ({ app, message_id, calls }: Draft): boolean =>
  app === '' && message_id === '' && calls.length === 0;

const isCall = (call: unknown): call is DraftCall => {
  const { key, id, name, text, depends_on } = (call ?? {}) as Record<string, unknown>;
  return [key, id, name, text].every((part) => typeof part === 'string') && Array.isArray(depends_on);
};
