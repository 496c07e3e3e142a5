import type { EdgeConfig } from '../config.ts';
import type { Chunk } from '../feeds/entry.ts';
import type { DueClient, Flusher } from '../feeds/flusher.ts';
import { ladderOf } from '../feeds/ladder.ts';
import type { Outlet } from '../feeds/subscription.ts';

/** What a queue writes to: a WebSocket's wire or an SSE response. */
export interface Sink {
  write(chunks: readonly Buffer[]): void;
  readonly buffered: number;
  onDrain(listener: () => void): void;
  /** It tells that it drained only if so many bytes waited. Default 0: always. */
  readonly drainMark?: number;
}

export interface QueueParts {
  readonly config: Pick<EdgeConfig, 'TOOLSTREAM_CLIENT_BUFFER_BYTES' | 'TOOLSTREAM_SLOW_CLIENT_MS'>;
  readonly flusher: Flusher;
}

/** Whose queue it is. */
export interface QueueOwner {
  /** There is room again; `waited`: only after the client had made it. Else it took all at once that one turn brought. */
  onDrained(waited: boolean): void;
  /** The client did not make room in time. */
  onSlow(): void;
}

/**
 * One client's outgoing queue. Frames of one turn of the event loop leave in one write. Once the ladder's `foldBytes` wait
 * the queue is congested, and stays so until it is empty: whoever writes events stops at that and looks again on
 * `onDrained`; what is small and must be told (an answer, a goodbye) may still be written.
 */
export class ClientQueue implements Outlet, DueClient {
  readonly #sink: Sink;
  readonly #owner: QueueOwner;
  readonly #flusher: Flusher;
  readonly #form: 'ws' | 'sse';
  readonly #slowMs: number;
  readonly #congestedBytes: number;
  #chunks: Buffer[] | undefined;
  #bytes = 0;
  /**
   * The sink holds at most this: all that it was given since it was last asked. Asking a socket costs as much as all the
   * rest of a write here, so it is asked only when this bound passes the limit.
   */
  #given = 0;
  #scheduled = false;
  #congested = false;
  #listening = false;
  #slowTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(sink: Sink, form: 'ws' | 'sse', { config, flusher }: QueueParts, owner: QueueOwner) {
    const ladder = ladderOf(config.TOOLSTREAM_CLIENT_BUFFER_BYTES, config.TOOLSTREAM_SLOW_CLIENT_MS);
    this.#sink = sink;
    this.#owner = owner;
    this.#flusher = flusher;
    this.#form = form;
    this.#slowMs = ladder.closeMs;
    this.#congestedBytes = Math.max(ladder.foldBytes, sink.drainMark ?? 0);
  }

  get congested(): boolean {
    return this.#congested;
  }

  /** Bytes that wait in this process. */
  get waiting(): number {
    return this.#bytes + this.#sink.buffered;
  }

  write(chunk: Chunk): void {
    if (this.#closed) return;
    const buffer = chunk[this.#form];
    if (this.#chunks) this.#chunks.push(buffer);
    else this.#chunks = [buffer];
    this.#bytes += buffer.length;
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#flusher.client(this);
    }
    if (!this.#congested && this.#bytes + this.#given >= this.#congestedBytes) this.#judge();
  }

  /** Hands everything over at once: before a close frame, which must come last. */
  flush(): void {
    const chunks = this.#chunks;
    if (!chunks) return;
    this.#chunks = undefined;
    this.#given += this.#bytes;
    this.#bytes = 0;
    this.#sink.write(chunks);
  }

  close(): void {
    this.#closed = true;
    this.#chunks = undefined;
    this.#bytes = 0;
    clearTimeout(this.#slowTimer);
  }

  /** At the end of a turn of the event loop. */
  handOver(): void {
    this.#scheduled = false;
    this.flush();
    // The kernel took everything at once: no drain will be reported.
    if (this.#congested && this.#sink.buffered === 0) this.#relieve(false);
  }

  #judge(): void {
    this.#given = this.#sink.buffered;
    if (this.#bytes + this.#given < this.#congestedBytes) return;
    this.#congested = true;
    this.#listen();
    this.#slowTimer = setTimeout(() => this.#owner.onSlow(), this.#slowMs);
    this.#slowTimer.unref();
  }

  /** Most clients are never congested: their sockets need no listener. */
  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#sink.onDrain(() => this.#relieve(true));
  }

  #relieve(waited: boolean): void {
    if (this.#closed || !this.#congested || this.#bytes > 0 || this.#sink.buffered > 0) return;
    this.#congested = false;
    clearTimeout(this.#slowTimer);
    this.#owner.onDrained(waited);
  }
}
