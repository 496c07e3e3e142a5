import type { StoredEvent } from '@toolstream/event-log';
import { parseEventSubject, type ToolstreamEvent } from '@toolstream/proto-events';

/** An event as the fold takes it: addressed by its subject, typed by its header, decoded when asked. */
export interface FoldableEvent {
  readonly seq: number;
  readonly run: string;
  readonly type: string;
  event(): ToolstreamEvent;
}

/** An event that nobody can read is reported, never a reason to stand still for ever. */
export interface Unreadable {
  readonly seq: number;
  readonly error: unknown;
}

/** What of a delivery is new: events behind `after`, in order, each once. */
export function newEvents<E extends { readonly seq: number }>(delivered: readonly E[], after: number): E[] {
  let last = after;
  return delivered.filter(({ seq }) => {
    if (seq <= last) return false;
    last = seq;
    return true;
  });
}

export function foldable(stored: readonly StoredEvent[]): { events: FoldableEvent[]; unreadable: Unreadable[] } {
  const events: FoldableEvent[] = [];
  const unreadable: Unreadable[] = [];
  for (const one of stored) {
    const { seq, type } = one;
    const run = parseEventSubject(one.subject)?.run;
    if (run === undefined) unreadable.push({ seq, error: new TypeError(`no event subject: ${one.subject}`) });
    else events.push({ seq, run, type, event: () => one.event() });
  }
  return { events, unreadable };
}
