import { now } from './clock.ts';
import { cursorIn, prevIn } from './frames.ts';
import { LeanSocket } from './lean.ts';
import { bareDoor, type Door, edgeDoor, roomDoor } from './socket.ts';

/** Where a client goes, and what it watches there. */
export type Place =
  | { readonly server: 'edge'; readonly url: string; readonly token: string; readonly run: string }
  | { readonly server: 'bare'; readonly port: number; readonly run: string }
  | { readonly server: 'room'; readonly port: number; readonly run: string };

/** What all clients of a process have seen since they connected, or came back. */
export interface CrowdReport {
  readonly clients: number;
  readonly live: number;
  /** Event frames. */
  readonly frames: number;
  readonly snapshots: number;
  /** Frames that do not follow the one before: something is missing, or comes twice. */
  readonly breaks: number;
  /** Clients that have their run's last event, and everything before it. */
  readonly complete: number;
  /** Run → the greatest sequence that one of its clients is at. */
  readonly furthest: Readonly<Record<string, number>>;
  /** Milliseconds from the hello to the moment when a client was caught up, of those who came back. */
  readonly replays: readonly number[];
  /** Nanoseconds of {@link now} at which those who were sent away came back, and were caught up again. */
  readonly returns: readonly { readonly at: number; readonly liveAt: number }[];
}

/** What a client of the edge, or of socket.io, remembers to go on where it was. */
interface Memory {
  seq: number | undefined;
  /** The edge: what stands before the sequence in a cursor. */
  cursorHead?: string;
  /** socket.io: the session, and the mark of the last event in it. */
  pid?: string;
  offset?: string;
}

interface Counts {
  frames: number;
  snapshots: number;
  breaks: number;
}

/** One client that can be dropped and come back. */
export class Follower {
  readonly #place: Place;
  readonly #memory: Memory;
  readonly #returning: boolean;
  readonly #event: Buffer;
  readonly #counts: Counts = { frames: 0, snapshots: 0, breaks: 0 };
  #socket: LeanSocket | undefined;
  #goTo: string | undefined;
  #connectedAt = Number.NaN;
  #liveAt = Number.NaN;
  onAway: (successor: Follower) => void = () => {};

  constructor(place: Place, memory: Memory = { seq: undefined }, returning = false) {
    this.#place = place;
    this.#memory = memory;
    this.#returning = returning;
    this.#event = Buffer.from(this.#door().event);
  }

  get run(): string {
    return this.#place.run;
  }

  get seq(): number | undefined {
    return this.#memory.seq;
  }

  get counts(): Readonly<Counts> {
    return this.#counts;
  }

  get live(): boolean {
    return !Number.isNaN(this.#liveAt);
  }

  get replayMs(): number | undefined {
    if (!this.#returning || !this.#socket || Number.isNaN(this.#socket.liveAt)) return undefined;
    return this.#socket.liveAt - this.#socket.helloAt;
  }

  get returned(): { at: number; liveAt: number } | undefined {
    return this.#returning && this.live ? { at: this.#connectedAt, liveAt: this.#liveAt } : undefined;
  }

  async join(): Promise<void> {
    this.#connectedAt = now();
    this.#socket = await LeanSocket.open(this.#door(), {
      onPrelude: (payload) => this.#received(payload),
      onEvent: (payload) => this.#received(payload),
    });
    this.#liveAt = now();
  }

  drop(): void {
    this.#socket?.destroy();
  }

  /** The same client, about to come back. */
  successor(url?: string): Follower {
    const place = url !== undefined && this.#place.server === 'edge' ? { ...this.#place, url } : this.#place;
    return new Follower(place, this.#memory, true);
  }

  moveTo(url: string): void {
    this.#goTo = url;
  }

  #door(): Door {
    const place = this.#place;
    if (place.server === 'bare') return bareDoor(place.port);
    const { seq, cursorHead, pid, offset } = this.#memory;
    if (place.server === 'room') {
      return roomDoor(place.port, place.run, pid !== undefined && offset !== undefined ? { pid, offset } : {});
    }
    const cursor = seq === undefined || cursorHead === undefined ? undefined : `${cursorHead}${seq}`;
    return edgeDoor(place.url, place.token, place.run, cursor);
  }

  #received(payload: Buffer): void {
    const seq = cursorIn(payload, this.#event);
    if (seq !== undefined) {
      const memory = this.#memory;
      this.#counts.frames++;
      if (memory.seq !== undefined && prevIn(payload) !== memory.seq) this.#counts.breaks++;
      memory.seq = seq;
      if (this.#place.server === 'room') memory.offset = offsetIn(payload);
      return;
    }
    if (this.#place.server === 'bare') return;
    const text = payload.toString();
    if (this.#place.server === 'room') {
      const pid = /^40.*"pid":"([^"]+)"/.exec(text)?.[1];
      if (pid !== undefined) this.#memory.pid = pid;
      return;
    }
    this.#told(text);
  }

  #told(text: string): void {
    const type = /^\{"type":"(\w+)"/.exec(text)?.[1];
    if (type === 'snapshot' || type === 'caught_up') {
      const [, head, seq] = /"cursor":"([^"]*:)(\d+)"/.exec(text) ?? [];
      if (type === 'snapshot') this.#counts.snapshots++;
      else if (Number(seq) !== this.#memory.seq) this.#counts.breaks++;
      this.#memory.seq = Number(seq);
      this.#memory.cursorHead = head ?? '';
    } else if (type === 'bye' && this.#goTo !== undefined) {
      const { retry_ms: wait = 0 } = JSON.parse(text) as { retry_ms?: number };
      const successor = this.successor(this.#goTo);
      this.#liveAt = Number.NaN;
      this.onAway(successor);
      // One attempt: who is refused is missing from those that the report says are complete.
      setTimeout(() => void successor.join().catch(() => {}), wait);
    } else if (type === 'error') {
      this.#counts.breaks++;
    }
  }
}

/** The last argument of an event, with which socket.io's clients resume: `42["event",{…},"<offset>"]`. */
export function offsetIn(payload: Buffer): string {
  const end = payload.length - 2;
  const start = payload.lastIndexOf('"', end - 1);
  return payload.toString('latin1', start + 1, end);
}

/** `expected`: the last sequence of each run. */
export function reportOf(followers: readonly Follower[], expected: Readonly<Record<string, number>>): CrowdReport {
  const furthest: Record<string, number> = {};
  for (const { run, seq = 0 } of followers) furthest[run] = Math.max(furthest[run] ?? 0, seq);
  const sum = (of: keyof Counts) => followers.reduce((total, { counts }) => total + counts[of], 0);
  return {
    clients: followers.length,
    live: followers.filter(({ live }) => live).length,
    complete: followers.filter(({ run, seq, live, counts }) => live && counts.breaks === 0 && seq === expected[run])
      .length,
    frames: sum('frames'),
    snapshots: sum('snapshots'),
    breaks: sum('breaks'),
    furthest,
    replays: followers.flatMap(({ replayMs }) => replayMs ?? []),
    returns: followers.flatMap(({ returned }) => returned ?? []),
  };
}
