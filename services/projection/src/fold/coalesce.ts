import type { FoldableEvent } from './foldable.ts';

const PROGRESSED = 'tool.progressed.v1';

/**
 * Which events of a batch the fold may leave out undecoded: a progress whose tool subject continues with another
 * progress before anything happens on the run's own subject.
 *
 * Why the result is the same: such a pair belongs to one attempt (another one begins with `tool.started` on that very
 * subject) and finds the tool in one status (only events on its own subject or the run's change it), so either both
 * count and the later replaces `progress` whole, or neither does. What else the earlier one moves, `seq` and `tool_seq`,
 * the later one moves further. Whatever reads `state.seq` in between (marks, commands) is on the run's subject and
 * reads its own. Checked against the plain fold in `fold.unit.spec.ts`.
 */
export function superseded(events: readonly FoldableEvent[]): ReadonlySet<FoldableEvent> {
  const left = new Set<FoldableEvent>();
  /** Per run, what its tools' subjects continue with, since the last event on the run's subject. */
  const next = new Map<string, Map<string | number, string>>();
  for (let i = events.length - 1; i >= 0; i--) {
    const event = events[i]!;
    if (event.writer === 'run') {
      next.delete(event.run);
      continue;
    }
    const tools = next.get(event.run) ?? new Map<string | number, string>();
    next.set(event.run, tools);
    if (event.type === PROGRESSED && tools.get(event.writer) === PROGRESSED) left.add(event);
    tools.set(event.writer, event.type);
  }
  return left;
}
