import { type Effect, evolve, type Recorded } from '@toolstream/domain';
import type { StoredEvent } from '@toolstream/event-log';
import {
  isRunEnded,
  type RunAddress,
  type RunState,
  type ToolstreamEvent,
  VOLATILE_TYPES,
} from '@toolstream/proto-events';
import { RunLock } from './run-lock.ts';

/** What this process knows of one effect: published, or on its way. */
export interface Performed {
  at: number;
  pending?: Promise<void> | undefined;
  /** Its place in its stream. */
  seq?: number | undefined;
  /** The run ended before it was published: it never will be. */
  withheld?: boolean;
}

/** An event that this process appended, and what it made of the run as it was known then. */
interface Own extends Recorded {
  readonly before: RunState | undefined;
  readonly after: RunState | undefined;
  readonly effects: readonly Effect[];
}

/** A delivered event: decoded only if this process did not append it. */
export interface Arrived {
  readonly event: ToolstreamEvent | undefined;
  /** The effects that this process began when it appended the event; absent for events of others. */
  readonly begun: readonly Effect[] | undefined;
}

/**
 * A run as this process knows it, in two layers. `base` is the fold of every event up to its position: nothing below is
 * missing, because it comes from the log or from contiguous deliveries. Over it lie the events that this process appended
 * and that the base has not reached; events of others may be missing between them. Decisions are made on both together
 * (`view`): a view that lacks something costs a conflict and a read, never a wrong append.
 *
 * Changed only by who holds the lock.
 */
export class LiveRun {
  readonly id: string;
  readonly lock = new RunLock();
  readonly effects = new Map<string, Performed>();
  address: RunAddress | undefined;
  /** The uninterrupted feed of deliveries that continues the base; before another one's the log is read. */
  feed = 0;
  #base: RunState | undefined;
  #own: Own[] = [];
  #view: RunState | undefined;
  #bytes = 1_024;

  constructor(id: string) {
    this.id = id;
  }

  get base(): RunState | undefined {
    return this.#base;
  }

  get view(): RunState | undefined {
    if (this.#own.length === 0) return this.#base;
    if (!this.#view) {
      // Others' events lie below the own ones: play the own ones again.
      this.#own = this.#own.map((own) => {
        const before = this.#view ?? this.#base;
        this.#view = evolve(before, own);
        return { ...own, before, after: this.#view };
      });
    }
    return this.#view;
  }

  /** Nothing more will be decided about it. */
  get ended(): boolean {
    return this.#base !== undefined && this.#own.length === 0 && isRunEnded(this.#base.status);
  }

  /** A rough size, for the bound of the memory. */
  get bytes(): number {
    return this.#bytes + this.effects.size * 64;
  }

  /** An event that this process appended; `effectsOf` names its effects, given the state that it made. */
  appended(recorded: Recorded, effectsOf: (after: RunState) => readonly Effect[]): readonly Effect[] {
    const before = this.view;
    const after = evolve(before, recorded);
    const effects = after ? effectsOf(after) : [];
    this.#own.push({ ...recorded, before, after, effects });
    this.#view = after;
    this.#knowAddress(recorded.event);
    this.#bytes += 512;
    return effects;
  }

  /** The next event as the consumer delivers it. */
  delivered(stored: StoredEvent): Arrived {
    const own = this.#own[0]?.seq === stored.seq ? this.#own.shift() : undefined;
    const event = own?.event ?? decoded(stored);
    if (event && (!this.#base || stored.seq > this.#base.seq)) {
      // With nothing of others in between, the state that the own event made is the new base.
      this.#base = own && own.before === this.#base ? own.after : evolve(this.#base, { event, seq: stored.seq });
      this.#knowAddress(event);
      this.#bytes += stored.data.length;
      if (!own || this.#own.length === 0) this.#view = undefined;
    }
    return { event, begun: own?.effects };
  }

  /**
   * Events read from the log behind the base, or all of them (`anew`). Progress and output are left out, except where
   * one is the last event of its subject: fences compare its position.
   */
  read(events: readonly StoredEvent[], { anew }: { anew: boolean }): void {
    if (anew) {
      this.#base = undefined;
      this.#own = [];
      this.effects.clear();
      this.#bytes = 1_024;
    }
    const lastOf = new Map(events.map((stored) => [stored.subject, stored.seq]));
    for (const stored of events) {
      if (VOLATILE_TYPES.has(stored.type) && lastOf.get(stored.subject) !== stored.seq) continue;
      const event = decoded(stored);
      if (!event) continue;
      this.#base = evolve(this.#base, { event, seq: stored.seq });
      this.#knowAddress(event);
      this.#bytes += stored.data.length;
    }
    const reached = this.#base?.seq ?? 0;
    this.#own = this.#own.filter(({ seq }) => seq > reached);
    this.#view = undefined;
  }

  #knowAddress(event: ToolstreamEvent): void {
    this.address ??= { tenant: event.tenant, app: event.app, run: event.runid };
  }
}

/** What cannot be decoded, such as an event of a later version of the contract, says nothing to this one. */
function decoded(stored: StoredEvent): ToolstreamEvent | undefined {
  try {
    return stored.event();
  } catch {
    return undefined;
  }
}
