import {
  type EventFrame,
  isRunEnded,
  type Position,
  parseCursors,
  partitionOfRun,
  type RunState,
  type ServerFrame,
  type SnapshotFrame,
} from '@toolstream/proto-events';
import { LRUCache } from 'lru-cache';
import type { RunReader } from '../adapters/run-reader.ts';
import type { Chunk } from '../feeds/entry.ts';
import type { Outlet } from '../feeds/subscription.ts';
import { framesOf } from '../translation/frames.ts';
import { queueOfApp } from './messages.ts';
import type { PastStates } from './past-states.ts';
import type { Voice } from './voice.ts';
import { ofEvent, ofState, type Words, wordsOf } from './words.ts';

/** A client's queue, told as well whether something lasting is in a chunk. */
export interface CableQueue extends Outlet {
  write(chunk: Chunk, lasting?: boolean): void;
}

export interface CableOutletOptions {
  readonly tenant: string;
  readonly voice: Voice;
  /** The client's queue. */
  readonly queue: CableQueue;
  readonly past: PastStates;
  readonly reader: Pick<RunReader, 'read'>;
  /** Where the client stands, when it comes back: what it shows is the state there. */
  readonly cursor: string | undefined;
  /** The client shows the calls already, but of a log that is gone. */
  readonly listed: boolean;
  onCaughtUp(): void;
  /** The log is not the one in which the client stands, or lost its place. Absent: the client cannot be told. */
  readonly onLost: (() => void) | undefined;
  /** There is room for what the subscription has. */
  onRoom(): void;
  onFault(error: unknown): void;
}

/** Runs of an app whose state is at hand; another one's is read when something happens to it. */
const RUNS_KEPT = 512;

/**
 * Stands between a subscription and a client's queue and says frames in the words of the channel. What an event or a
 * snapshot changes can only be told by the state before it: that is at hand, or read from the log once. Meanwhile frames
 * wait in their order and the subscription is told that there is no room, so that never more than a chunk waits.
 */
export class CableOutlet implements Outlet {
  readonly #options: CableOutletOptions;
  readonly #states = new LRUCache<string, RunState>({ max: RUNS_KEPT });
  #cursor: string | undefined;
  #waiting: ServerFrame[] = [];
  #reading = false;
  #over = false;

  constructor(options: CableOutletOptions) {
    this.#options = options;
    this.#cursor = options.cursor;
  }

  /** The last cursor whose words the client was sent. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  get congested(): boolean {
    return this.#reading || this.#options.queue.congested;
  }

  write(chunk: Chunk): void {
    if (this.#over) return;
    this.#waiting.push(...framesOf(chunk));
    this.#pump();
  }

  /** A client that came back has not been sent anything since. */
  get #isJoining(): boolean {
    return this.#cursor !== undefined && this.#cursor === this.#options.cursor;
  }

  /** Draws a run as it was at a sequence: the rest of a first drawing that was cut short. */
  redraw(state: RunState, at: Position): void {
    this.#say(ofState(state, undefined, { at, listed: false }));
    this.#states.set(state.run_id, state);
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = [];
    for (const state of this.#states.values()) this.#options.past.keep(state);
    this.#states.clear();
  }

  #pump(): void {
    while (!this.#over && !this.#reading) {
      const frame = this.#waiting[0];
      if (frame === undefined) return;
      const reading = this.#process(frame);
      if (reading !== undefined) {
        this.#read(reading);
        return;
      }
      this.#waiting.shift();
    }
  }

  #read(reading: Promise<void>): void {
    this.#reading = true;
    reading.then(
      () => {
        this.#reading = false;
        if (this.#over) return;
        this.#waiting.shift();
        this.#pump();
        if (!this.congested) this.#options.onRoom();
      },
      (error: unknown) => {
        // Nothing may be left out: what waits is given up, and read again from where the client stands.
        if (!this.#over) this.#options.onFault(error);
      },
    );
  }

  /** Returns what must be waited for, if the state before is not at hand. */
  #process(frame: ServerFrame): Promise<void> | undefined {
    switch (frame.type) {
      case 'event': {
        const before = this.#states.get(frame.run);
        if (before || isAcceptance(frame)) {
          this.#event(frame, before);
          return undefined;
        }
        return this.#shown(frame.run, frame.prev, frame.event.app).then((state) => this.#event(frame, state));
      }
      case 'snapshot':
        if (frame.reason === 'epoch' && this.#isJoining && this.#options.onLost) {
          this.#options.onLost();
          return undefined;
        }
        return this.#snapshot(frame);
      case 'caught_up':
        this.#cursor = frame.cursor;
        this.#options.onCaughtUp();
        return undefined;
      case 'end':
        if (frame.app !== undefined) this.#states.delete(frame.run);
        return undefined;
      default:
        return undefined;
    }
  }

  #event(frame: EventFrame, before: RunState | undefined): void {
    if (this.#over) return;
    const { after, words } = ofEvent(frame, before, positionIn(frame.cursor, partitionOfRun(frame.run)!));
    if (after) this.#states.set(frame.run, after);
    this.#say(words);
    this.#cursor = frame.cursor;
  }

  /** The run as the client shows it, if it stands at this cursor. */
  #shown(run: string, cursor: string | undefined, app: unknown): Promise<RunState | undefined> {
    const { tenant, past } = this.#options;
    if (cursor === undefined || typeof app !== 'string') return Promise.resolve(undefined);
    const { seq } = positionIn(cursor, partitionOfRun(run)!);
    return past.at({ tenant, app, run }, seq);
  }

  async #snapshot(frame: SnapshotFrame): Promise<void> {
    const { cursor, state } = frame;
    const runs = 'runs' in state ? (state.runs as RunState[]) : [state as RunState];
    // Of another log the client may show anything.
    const shows = frame.reason === 'epoch' ? undefined : this.#cursor;
    const befores = new Map<string, RunState | undefined>();
    for (const { run_id, app } of runs) {
      befores.set(run_id, this.#states.get(run_id) ?? (await this.#shown(run_id, shows, app)));
    }
    const gone = 'runs' in state ? await this.#ended(new Set(befores.keys())) : [];
    if (this.#over) return;
    for (const run of runs) this.#stateOf(run, befores.get(run.run_id), cursor, 'runs' in state);
    for (const run of gone) this.#stateOf(run, this.#states.get(run.run_id), cursor, true);
    if ('runs' in state && frame.app !== undefined) this.#anchor(frame.app, runs, cursor);
    this.#cursor = cursor;
  }

  /** Of an app's snapshot the last messages are the positions: until it has those, the client has none of it. */
  #stateOf(run: RunState, before: RunState | undefined, cursor: string, ofApp: boolean): void {
    const at = positionIn(cursor, partitionOfRun(run.run_id)!);
    const words = ofState(run, before, { at, listed: this.#options.listed });
    this.#say(ofApp ? { ...words, part: 'bare' } : words);
    if (isRunEnded(run.status) && ofApp) this.#states.delete(run.run_id);
    else this.#states.set(run.run_id, run);
  }

  /** Runs that the client shows as live, and that an app's snapshot no longer lists. */
  async #ended(listed: ReadonlySet<string>): Promise<RunState[]> {
    const { tenant, reader } = this.#options;
    const missing = [...this.#states.values()].filter((state) => !listed.has(state.run_id));
    const found: RunState[] = [];
    for (const { app, run_id } of missing) {
      const now = await reader.read({ tenant, app, run: run_id });
      if (now && isRunEnded(now.status)) found.push(now);
    }
    return found;
  }

  #anchor(app: string, runs: readonly RunState[], cursor: string): void {
    const part = this.#cursor === undefined ? 'drawing' : 'changes';
    const positions = parseCursors(cursor) ?? [];
    for (const at of positions) {
      const own = runs.filter((run) => partitionOfRun(run.run_id) === at.partition);
      this.#say(wordsOf([queueOfApp(app, own, positions.length > 1 ? at.partition : undefined)], part, at));
    }
  }

  #say(words: Words): void {
    const ws = this.#options.voice.say(words);
    if (ws) this.#options.queue.write({ ws, sse: ws }, words.lasting);
  }
}

const isAcceptance = ({ event }: EventFrame): boolean => event.type === 'run.accepted.v1';

/** Where a cursor stands in a run's partition. */
function positionIn(cursor: string, partition: number): Position {
  const position = parseCursors(cursor)?.find((part) => part.partition === partition);
  return position ?? { epoch: '', partition, seq: 0 };
}
