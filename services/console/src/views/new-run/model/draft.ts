import type { SubmitRequest } from '@toolstream/client';
import type { Json, WireCall } from '@toolstream/proto-events';

/** In which order the calls are to run. `graph`: as each names what it waits for. */
export type Order = 'sequential' | 'parallel' | 'graph';

/** A call as it is being written. `key` is its identity on the page: its `id` may be edited, and be the same as another's. */
export interface DraftCall {
  readonly key: string;
  readonly id: string;
  readonly name: string;
  /** The arguments' JSON as it was typed: it need not be JSON yet. */
  readonly text: string;
  /** Keys of the calls that it waits for; counts in a graph only. */
  readonly depends_on: readonly string[];
  readonly timeout_ms?: number | undefined;
}

export interface Draft {
  readonly app: string;
  readonly message_id: string;
  readonly order: Order;
  readonly calls: readonly DraftCall[];
}

export const EMPTY_DRAFT: Draft = { app: '', message_id: '', order: 'sequential', calls: [] };

/** `waits_for` names calls that are added along with it, by their ids. */
export interface AddedCall extends Omit<DraftCall, 'key' | 'depends_on'> {
  readonly depends_on?: readonly string[];
  readonly waits_for?: readonly string[];
}

export type DraftAction =
  | { readonly type: 'set'; readonly change: Partial<Pick<Draft, 'app' | 'message_id' | 'order'>> }
  | { readonly type: 'add'; readonly calls: readonly AddedCall[] }
  | { readonly type: 'change'; readonly key: string; readonly change: Partial<Omit<DraftCall, 'key'>> }
  | { readonly type: 'remove'; readonly key: string }
  | { readonly type: 'move'; readonly key: string; readonly by: 1 | -1 }
  | { readonly type: 'replace'; readonly draft: Draft };

export function evolveDraft(draft: Draft, action: DraftAction): Draft {
  const { calls } = draft;
  switch (action.type) {
    case 'set':
      return { ...draft, ...action.change };
    case 'add':
      return { ...draft, calls: [...calls, ...keyed(action.calls, calls)] };
    case 'change':
      return { ...draft, calls: calls.map((call) => (call.key === action.key ? { ...call, ...action.change } : call)) };
    case 'remove':
      return {
        ...draft,
        calls: calls
          .filter(({ key }) => key !== action.key)
          .map((call) => ({ ...call, depends_on: call.depends_on.filter((key) => key !== action.key) })),
      };
    case 'move':
      return { ...draft, calls: moved(calls, action.key, action.by) };
    case 'replace':
      return action.draft;
  }
}

/** Keys are `c1`, `c2`, … as calls are added; one that was removed does not come again while later ones are there. */
export const nextKey = (present: readonly DraftCall[]): string =>
  `c${1 + Math.max(0, ...present.map(({ key }) => numberOf(key)))}`;
export const numberOf = (key: string): number => Number(key.slice(1));

/** Calls with keys that none of the others has, and ids that none has where theirs are taken. */
function keyed(added: readonly AddedCall[], present: readonly DraftCall[]): DraftCall[] {
  const ids = new Set(present.map(({ id }) => id));
  const first = numberOf(nextKey(present));
  const keyOf = new Map(added.map(({ id }, at) => [id, `c${first + at}`]));
  return added.map(({ waits_for = [], depends_on = [], ...call }, at) => {
    const id = freeId(call.id, ids);
    ids.add(id);
    const key = `c${first + at}`;
    const waits = waits_for.flatMap((other) => keyOf.get(other) ?? []).filter((other) => other !== key);
    return { ...call, id, key, depends_on: [...depends_on, ...waits] };
  });
}

function freeId(wanted: string, taken: ReadonlySet<string>): string {
  if (wanted !== '' && !taken.has(wanted)) return wanted;
  const stem = wanted === '' ? 'call' : wanted;
  for (let number = wanted === '' ? 1 : 2; ; number++) if (!taken.has(`${stem}_${number}`)) return `${stem}_${number}`;
}

function moved(calls: readonly DraftCall[], key: string, by: 1 | -1): readonly DraftCall[] {
  const at = calls.findIndex((call) => call.key === key);
  const to = at + by;
  const [one, other] = [calls[at], calls[to]];
  return one && other ? calls.with(at, other).with(to, one) : calls;
}

/** What the call may be made to wait for: every other that does not, over others, wait for it. */
export function possibleDependencies(calls: readonly DraftCall[], key: string): DraftCall[] {
  const waiting = new Set([key]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const call of calls) {
      if (waiting.has(call.key) || !call.depends_on.some((other) => waiting.has(other))) continue;
      waiting.add(call.key);
      grew = true;
    }
  }
  return calls.filter((call) => !waiting.has(call.key));
}

/** What is handed over. Every call's text must be JSON by now. */
export function toRequest({ app, message_id, order, calls }: Draft): SubmitRequest {
  const idOf = new Map(calls.map(({ key, id }) => [key, id]));
  const message = message_id.trim();
  return {
    app,
    ...(message === '' ? {} : { message_id: message }),
    // A graph in which nothing waits is what `parallel` says.
    mode: order === 'sequential' ? 'sequential' : 'parallel',
    tool_calls: calls.map(({ id, name, text, depends_on, timeout_ms }): WireCall => {
      const waits = order === 'graph' ? depends_on.flatMap((key) => idOf.get(key) ?? []) : [];
      return {
        id,
        name,
        arguments: JSON.parse(argumentsJson(text)) as Json,
        ...(waits.length === 0 ? {} : { depends_on: waits }),
        ...(timeout_ms === undefined ? {} : { timeout_ms }),
      };
    }),
  };
}

/** No text means no arguments. */
export const argumentsJson = (text: string): string => (text.trim() === '' ? '{}' : text);

export const jsonText = (value: unknown): string => JSON.stringify(value, null, 2);
