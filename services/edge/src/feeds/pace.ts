import type { Flusher } from './flusher.ts';

/** A feed spends at most about this part of the time on writing to its clients. */
const SHARE = 1 / 8;
/** Nobody waits longer than this for an event: about one interval of 30 updates a second. */
const LONGEST_MS = 33;

/**
 * When a feed's next batch is due. An event after a silence leaves at once. While events keep coming, a batch follows the
 * one before after eight times of what writing it costs: nothing that anybody notices with a few clients, one interval of
 * progress with many hundred. There two events leave in one write, which is what the processor time goes to, and one hot
 * run leaves the time to the others.
 */
export class Pace {
  readonly #flusher: Pick<Flusher, 'feed' | 'clientMs'>;
  readonly #now: () => number;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(flusher: Pick<Flusher, 'feed' | 'clientMs'>, now: () => number = () => performance.now()) {
    this.#flusher = flusher;
    this.#now = now;
  }

  schedule(clients: number, flush: () => void): void {
    const interval = Math.min(LONGEST_MS, (clients * this.#flusher.clientMs) / SHARE);
    const wait = this.#flushedAt + interval - this.#now();
    const due = () =>
      this.#flusher.feed(() => {
        this.#flushedAt = this.#now();
        flush();
      });
    if (wait < 1) due();
    else this.#timer = setTimeout(due, wait);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
