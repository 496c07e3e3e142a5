import type { Json, ServerFrame } from '@toolstream/proto-events';
import type { Chunk } from '../feeds/entry.ts';
import type { Outlet } from '../feeds/subscription.ts';
import { asRefusal } from '../problems.ts';
import { framesOf } from './frames.ts';
import { RunView } from './run-view.ts';
import { Deferred, type Failure, type Piece, type Ready, type Translator } from './translator.ts';

export interface TranslatingOptions {
  readonly translator: Translator;
  /** The client's queue. */
  readonly queue: Outlet;
  /** A value with everything put in that is stored outside the log. */
  resolve(value: Json): Promise<Json>;
  /** There is room for what the subscription has. */
  onRoom(): void;
  /** The last word is in the queue. */
  onOver(): void;
  onFault(error: unknown): void;
}

/**
 * Stands between a subscription and a client's queue and translates. Pieces leave in order; one that needs a stored value
 * holds back those behind it, and while any waits the subscription is told that there is no room. So what waits here is
 * never more than what came in one chunk.
 */
export class TranslatingOutlet implements Outlet {
  readonly #options: TranslatingOptions;
  readonly #view = new RunView();
  #pieces: Piece[] = [];
  #resolving = false;
  #over = false;

  constructor(options: TranslatingOptions) {
    this.#options = options;
  }

  get congested(): boolean {
    return this.#pieces.length > 0 || this.#options.queue.congested;
  }

  write(chunk: Chunk): void {
    for (const frame of framesOf(chunk)) {
      if (this.#options.translator.over) break;
      for (const piece of this.#translated(frame)) this.#pieces.push(piece);
    }
    this.#pump();
  }

  /** The client's queue has room again. */
  drained(): void {
    this.#pump();
    this.#offerRoom();
  }

  /** The stream is about to end: its last words, in place of what still waits. */
  farewell(why: Failure): Buffer {
    this.close();
    return Buffer.concat(Array.from(this.#options.translator.fail(why), dataLine));
  }

  /** Nothing more is wanted. */
  close(): void {
    this.#over = true;
    this.#pieces = [];
  }

  #translated(frame: ServerFrame): Iterable<Piece> {
    const { translator } = this.#options;
    switch (frame.type) {
      case 'snapshot':
      case 'event': {
        const step = this.#view.after(frame);
        return step ? translator.step(step) : [];
      }
      case 'caught_up':
        return translator.caughtUp();
      case 'end':
        return translator.end();
      case 'error':
        return translator.fail({ code: frame.code, message: frame.message });
      default:
        return [];
    }
  }

  #pump(): void {
    const { queue, translator } = this.#options;
    while (!this.#over && !this.#resolving && !queue.congested) {
      const piece = this.#pieces.shift();
      if (piece === undefined) break;
      if (piece instanceof Deferred) this.#resolve(piece);
      else queue.write(encoded(piece));
    }
    if (this.#over || this.#resolving || this.#pieces.length > 0 || !translator.over) return;
    this.#over = true;
    this.#options.onOver();
  }

  #resolve(piece: Deferred): void {
    this.#resolving = true;
    // Its place is kept: as long as a piece waits, there is no room.
    this.#pieces.unshift(piece);
    this.#options
      .resolve(piece.value)
      .then((value) => this.#resolved(piece.make(value)))
      .catch((error: unknown) => this.#failed(error));
  }

  #resolved(ready: Ready): void {
    this.#resolving = false;
    if (this.#over) return;
    this.#pieces.shift();
    this.#options.queue.write(encoded(ready));
    this.#pump();
    this.#offerRoom();
  }

  #offerRoom(): void {
    if (!this.#over && !this.congested) this.#options.onRoom();
  }

  #failed(error: unknown): void {
    this.#resolving = false;
    if (this.#over) return;
    const refusal = asRefusal(error);
    if (refusal.code === 'internal') this.#options.onFault(error);
    this.#pieces = [...this.#options.translator.fail({ code: refusal.code, message: refusal.message })];
    this.#pump();
  }
}

/** One `data:` line. JSON has no line breaks of its own, and lines end with a bare line feed. */
export const dataLine = (ready: Ready): Buffer =>
  Buffer.from(`data: ${typeof ready === 'string' ? ready : JSON.stringify(ready)}\n\n`);

function encoded(ready: Ready): Chunk {
  const sse = dataLine(ready);
  return { ws: sse, sse };
}
