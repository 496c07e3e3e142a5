import { setTimeout as sleep } from 'node:timers/promises';
import { eventStream } from '@toolstream/proto-events';
import type { Channel } from './channel.ts';
import { leaderPosition, type StreamPosition } from './leader.ts';

const TIMEOUT_MS = 15_000;
/** Thousands of followers check their stream; together they ask its leader at most this often. */
const SPACING_MS = 20;

/** Shares the leader's answer among callers, but never one that was asked for before the caller came. */
export class StreamPositions {
  readonly #channel: Channel;
  readonly #onAnswer: (partition: number, position: StreamPosition) => void;
  readonly #next = new Map<number, Promise<StreamPosition>>();
  readonly #current = new Map<number, Promise<unknown>>();

  constructor(channel: Channel, onAnswer: (partition: number, position: StreamPosition) => void) {
    this.#channel = channel;
    this.#onAnswer = onAnswer;
  }

  get(partition: number): Promise<StreamPosition> {
    const waiting = this.#next.get(partition);
    if (waiting !== undefined) return waiting;
    const before = this.#current.get(partition);
    if (before === undefined) return this.#ask(partition);
    const next = before.then(() => {
      this.#next.delete(partition);
      return this.#ask(partition);
    });
    this.#next.set(partition, next);
    return next;
  }

  #ask(partition: number): Promise<StreamPosition> {
    const answer = leaderPosition(this.#channel, eventStream(partition), TIMEOUT_MS).then((position) => {
      this.#onAnswer(partition, position);
      return position;
    });
    const settled = Promise.allSettled([answer, sleep(SPACING_MS, undefined, { ref: false })]);
    this.#current.set(partition, settled);
    void settled.then(() => {
      if (this.#current.get(partition) === settled) this.#current.delete(partition);
    });
    return answer;
  }
}
