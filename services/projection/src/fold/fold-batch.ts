import { evolve } from '@toolstream/domain';
import type { RunState, ToolstreamEvent } from '@toolstream/proto-events';
import { superseded } from './coalesce.ts';
import type { FoldableEvent } from './foldable.ts';

/** A run that the batch changed. `before` is what its rows hold now; undefined: whatever rows there are, replace them. */
export interface ChangedRun {
  readonly before: RunState | undefined;
  readonly after: RunState;
}

export interface FoldedBatch {
  readonly changed: readonly ChangedRun[];
  /** Events that could not be decoded or folded: reported, never a reason to stand still for ever. */
  readonly unreadable: readonly { readonly seq: number; readonly error: unknown }[];
}

const ACCEPTED = 'run.accepted.v1';

/** Runs whose state must be known before the batch can be folded: all but those that begin in it. */
export function runsToLoad(events: readonly FoldableEvent[]): Set<string> {
  const begun = new Set<string>();
  const needed = new Set<string>();
  for (const { run, type } of events) {
    if (type === ACCEPTED) begun.add(run);
    else if (!begun.has(run)) needed.add(run);
  }
  return needed;
}

/**
 * Folds a batch with the one fold of this repository. Pure towards `known`: nothing in it changes, so a batch that is
 * not committed leaves no trace. A `run.accepted` begins its run anew: the fence admits a second one only after a purge.
 */
export function foldBatch(events: readonly FoldableEvent[], known: ReadonlyMap<string, RunState>): FoldedBatch {
  const skipped = superseded(events);
  const befores = new Map<string, RunState | undefined>();
  const states = new Map<string, RunState | undefined>();
  const unreadable: { seq: number; error: unknown }[] = [];
  for (const recorded of events) {
    if (skipped.has(recorded)) continue;
    const { run, seq } = recorded;
    if (recorded.type === ACCEPTED || !states.has(run)) {
      const before = recorded.type === ACCEPTED ? undefined : known.get(run);
      befores.set(run, before);
      states.set(run, before);
    }
    try {
      states.set(run, evolve(states.get(run), { event: dated(recorded), seq }));
    } catch (error) {
      unreadable.push({ seq, error });
    }
  }
  const changed: ChangedRun[] = [];
  for (const [run, after] of states) {
    const before = befores.get(run);
    if (after && after !== before) changed.push({ before, after });
  }
  return { changed, unreadable };
}

/** An event whose time is none would be refused by Postgres, and with it its whole batch, again and again. */
function dated(recorded: FoldableEvent): ToolstreamEvent {
  const event = recorded.event();
  if (Number.isNaN(Date.parse(event.time))) throw new TypeError(`no time: ${JSON.stringify(event.time)}`);
  return event;
}
