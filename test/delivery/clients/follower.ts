import { evolve } from '@toolstream/domain';
import { partitionOfRun, type RunState, type ServerFrame, type ToolstreamEvent } from '@toolstream/proto-events';
import { covered, foreign, type Place, placeOf, seqIn } from '../place.ts';
import { namesOf } from '../record.ts';
import type { Truth } from '../truth.ts';

type TopicFrame = Extract<ServerFrame, { type: 'snapshot' | 'event' | 'caught_up' | 'end' }>;

/**
 * One topic as a client follows it that knows only the documented rules: a frame applies when its `prev` is what one has; a
 * frame that brings nothing new is ignored; anything else is a reason to subscribe again from what one has.
 */
export class Follower {
  readonly topic: string;
  readonly states = new Map<string, RunState>();
  place: Place | undefined;
  cursor: string | undefined;
  /** Cursors that it had before: somebody who comes back with an old one. */
  readonly earlier: string[] = [];
  over = false;
  refused: string | undefined;
  #resyncing = false;

  constructor(topic: string, cursor: string | undefined) {
    this.topic = topic;
    this.cursor = cursor;
    if (cursor === 'start') this.place = placeOf(cursor);
  }

  /** A new connection: what comes next answers a new subscription. */
  restarted(): void {
    this.#resyncing = false;
    this.refused = undefined;
  }

  /** True when it has to subscribe again. */
  take(frame: TopicFrame): boolean {
    const at = placeOf(frame.cursor);
    if (!at || this.over) return false;
    this.refused = undefined;
    switch (frame.type) {
      case 'snapshot':
        return this.#snapshot(frame, at);
      case 'event':
        return this.#event(frame, at);
      case 'caught_up':
        return this.#has(at) ? false : this.#gap();
      case 'end':
        if (!this.#has(at)) return this.#gap();
        if (this.topic.startsWith('run/')) this.over = true;
        return false;
    }
  }

  #snapshot({ state, cursor, reason }: Extract<TopicFrame, { type: 'snapshot' }>, at: Place): boolean {
    this.#resyncing = false;
    if (this.place && this.place.size > 0 && !foreign(this.place, at) && covered(at, this.place)) {
      // Older ones were still on their way. One of this very place heals a hole, unless it was merely asked for.
      if (reason === 'cold' || !covered(this.place, at)) return false;
    }
    this.states.clear();
    const runs = ('runs' in state ? state.runs : [state]) as unknown as RunState[];
    for (const run of runs) this.states.set(run.run_id, run);
    this.#move(at, cursor);
    return false;
  }

  #event(frame: Extract<TopicFrame, { type: 'event' }>, at: Place): boolean {
    const prev = placeOf(frame.prev);
    if (!this.place || !prev || foreign(this.place, at) || foreign(this.place, prev)) return this.#gap();
    if (this.place.size > 0 && covered(at, this.place)) return false;
    if (!covered(prev, this.place)) return this.#gap();
    const event = frame.event as unknown as ToolstreamEvent;
    const state = evolve(this.states.get(frame.run), { event, seq: seqIn(at, partitionOfRun(frame.run)!) });
    if (!state) {
      // Only a lost beginning explains this.
      this.place = undefined;
      this.cursor = undefined;
      return this.#gap();
    }
    this.states.set(frame.run, state);
    this.#resyncing = false;
    this.#move(at, frame.cursor);
    return false;
  }

  #move(at: Place, cursor: string): void {
    if (this.cursor !== undefined && this.earlier.length < 200) this.earlier.push(this.cursor);
    this.place = at;
    this.cursor = cursor;
  }

  #has(at: Place): boolean {
    return this.place !== undefined && !foreign(this.place, at) && covered(at, this.place);
  }

  #gap(): boolean {
    if (this.#resyncing) return false;
    this.#resyncing = true;
    return true;
  }

  isCaughtUp(truth: Truth): boolean {
    const { topic } = this;
    if (topic.startsWith('run/')) {
      const run = topic.slice(4);
      return this.over || (truth.isLost(run) && this.refused === 'not_found');
    }
    return truth.isReached(this.place);
  }

  stateOf(run: string): RunState | undefined {
    return this.states.get(run);
  }

  wish(): { run: string; cursor?: string } | { app: string; cursor?: string } {
    return { ...namesOf(this.topic), ...(this.cursor === undefined ? {} : { cursor: this.cursor }) };
  }
}
