import { isRunEnded, type RunState } from '@toolstream/proto-events';

/** What is remembered over reloads; a browser's sessionStorage is one. */
export interface Memory {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const keyOf = (run: string): string => `toolstream.celebrated.${run}`;

/**
 * Whether this is the moment to celebrate: the run was seen live by this page, every call succeeded, and it was not
 * celebrated before. Who comes later, or reloads, sees the summary alone. Remembers the answer.
 */
export function celebrates(before: RunState | undefined, now: RunState, memory: Memory): boolean {
  if (before === undefined || before.run_id !== now.run_id) return false;
  if (isRunEnded(before.status) || now.status !== 'succeeded') return false;
  try {
    if (memory.getItem(keyOf(now.run_id)) !== null) return false;
    memory.setItem(keyOf(now.run_id), now.ended_at ?? '');
  } catch {
    return false; // Storage is forbidden or full: rather no celebration than one too many.
  }
  return true;
}
