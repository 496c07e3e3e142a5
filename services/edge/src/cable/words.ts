import { evolve } from '@toolstream/domain';
import type { EventFrame, Position, RunState, ToolstreamEvent } from '@toolstream/proto-events';
import { difference, drawing } from './difference.ts';
import type { CableMessage } from './messages.ts';
import type { Part } from './offsets.ts';

/**
 * Messages that belong together, because one event or one snapshot brought them. `part` says which of them stand for a
 * position: each (`drawing`, `event`), the last one for all (`changes`), none (`bare`).
 */
export interface Words {
  /** JSON. */
  readonly messages: readonly string[];
  readonly part: Part | 'changes' | 'bare';
  /** Some of it must not be told twice: more than progress, which the next progress replaces anyway. */
  readonly lasting: boolean;
  readonly at: Position;
}

export const wordsOf = (messages: readonly CableMessage[], part: Words['part'], at: Position): Words => ({
  messages: messages.map((message) => JSON.stringify(message)),
  part,
  lasting: messages.some(({ action }) => action !== 'tool_progress_update'),
  at,
});

export interface Translated {
  readonly after: RunState | undefined;
  readonly words: Words;
}

/** Per frame and by the position of the state before it: clients in step share frames and have equal states. */
const translated = new WeakMap<EventFrame, Map<number, Translated>>();

/** What an event's frame says to who shows `before`. */
export function ofEvent(frame: EventFrame, before: RunState | undefined, at: Position): Translated {
  let known = translated.get(frame);
  if (!known) {
    known = new Map();
    translated.set(frame, known);
  }
  const from = before?.seq ?? 0;
  let result = known.get(from);
  if (!result) {
    const event = frame.event as unknown as ToolstreamEvent;
    const after = evolve(before, { event, seq: at.seq });
    const messages = after && after !== before ? difference(before, after) : [];
    result = { after, words: wordsOf(messages, 'event', at) };
    known.set(from, result);
  }
  return result;
}

/** What a run's state says to who shows `before` of it, or nothing. */
export function ofState(
  state: RunState,
  before: RunState | undefined,
  options: { at: Position; listed: boolean },
): Words {
  if (before) return wordsOf(difference(before, state), 'changes', options.at);
  return wordsOf(drawing(state, options), 'drawing', options.at);
}
