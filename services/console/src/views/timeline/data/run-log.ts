import { ApiError, type Client, type RunWatch, retryDelay } from '@toolstream/client';
import { formatCursor, type Position, parseCursor } from '@toolstream/proto-events';
import { EventHistory, type HistoryLimits, LIMITS } from '../model/event-history.ts';
import { framesOf, type HistoryFrame } from './frames.ts';
import { Pages } from './pages.ts';
import { FrameSchedule } from './schedule.ts';

/** What a component renders from: another object whenever something changed, at most once per frame. */
export interface LogView {
  readonly history: EventHistory;
  /** `loading`: the events so far are still being read. `live`: all are there, and the next ones come by themselves. */
  readonly status: 'loading' | 'live' | 'failed';
  readonly error: unknown;
  /** Why events that were dropped from memory could not be fetched again. */
  readonly pageError: unknown;
}

/** Live events that may wait for the history to be read; beyond that it is read once more. */
const WAITING_AT_MOST = 5_000;
/** So often in a row a history that broke off is read on by itself. After that it takes news of the run, or somebody who asks. */
const READ_ON_AT_MOST = 4;

/**
 * A run's events, every single one: the history says what there is, the watch says that there is more. What the watch brings
 * joined together (folded progress, a snapshot in place of events) is read from the history instead.
 */
export class RunLog {
  readonly run: string;
  readonly #client: Client;
  readonly #limits: HistoryLimits;
  readonly #listeners = new Set<() => void>();
  readonly #schedule = new FrameSchedule(() => this.#publish());
  readonly #pages = new Pages({
    read: (seq, signal) => this.#from(seq, signal),
    onChange: () => this.#schedule.request(),
  });
  #history: EventHistory;
  #place: Position | undefined;
  #view: LogView;
  #status: LogView['status'] = 'loading';
  #error: unknown;
  #watch: RunWatch | undefined;
  #reading: AbortController | undefined;
  /** Every event up to the last one that is known is there: what the watch brings next joins on. */
  #whole = false;
  #again = false;
  #broken = 0;
  #readOnLater: ReturnType<typeof setTimeout> | undefined;
  #waiting: HistoryFrame[] = [];

  constructor(client: Client, run: string, limits: HistoryLimits = LIMITS) {
    this.#client = client;
    this.#limits = limits;
    this.#history = new EventHistory(limits);
    this.run = run;
    this.#view = this.#render();
  }

  readonly getSnapshot = (): LogView => this.#view;

  /** The first one begins to follow the run, the last one leaves it; what was read stays. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#open();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#leave();
    };
  };

  retry(): void {
    this.#error = undefined;
    this.#status = 'loading';
    this.#broken = 0;
    const { missing } = this.#pages;
    this.#leave();
    if (this.#listeners.size > 0) this.#open();
    // Whoever looks at them asked once, and waits.
    for (const page of missing) this.need(page);
    this.#schedule.request();
  }

  /**
   * The index of the event that a cursor stands for. `foreign`: of another log or another run, `ahead`: not yet known,
   * `beyond`: after the events that are listed.
   */
  find(cursor: string): number | 'foreign' | 'ahead' | 'beyond' {
    const wanted = parseCursor(cursor);
    const place = this.#place;
    if (!wanted) return 'foreign';
    if (!place) return 'ahead';
    if (wanted.epoch !== place.epoch || wanted.partition !== place.partition) return 'foreign';
    const { columns, beyond } = this.#history;
    const index = columns.atOrBefore(wanted.seq);
    if (index < 0) return 'foreign';
    if (wanted.seq > place.seq) return 'ahead';
    return beyond > 0 && wanted.seq > columns.seq(columns.length - 1) ? 'beyond' : index;
  }

  cursorAt(index: number): string {
    return this.#cursor(this.#history.columns.seq(index));
  }

  /** Fetches events that were dropped from memory. */
  need(page: number): void {
    this.#pages.need(this.#history, page);
  }

  #open(): void {
    const watch = this.#client.watch(this.run);
    this.#watch = watch;
    watch.on('event', ({ event, cursor, folded }) => {
      if (folded !== undefined) this.#read();
      else this.#received({ event, cursor, bytes: JSON.stringify(event).length });
    });
    const news = ({ cursor }: { cursor: string }) => {
      if (!this.#whole || (parseCursor(cursor)?.seq ?? 0) > (this.#place?.seq ?? 0)) this.#read();
    };
    watch.on('snapshot', news);
    watch.on('caught_up', news);
    // Why it cannot be watched is why its history cannot be read, and that says so.
    watch.done.catch(() => {});
    this.#read();
  }

  #leave(): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#reading?.abort();
    this.#reading = undefined;
    this.#whole = false;
    this.#again = false;
    this.#waiting = [];
    clearTimeout(this.#readOnLater);
    this.#pages.stop();
    this.#schedule.stop();
  }

  #received(frame: HistoryFrame): void {
    if (this.#whole) this.#append(frame);
    else if (!this.#reading) this.#read();
    else if (this.#waiting.length < WAITING_AT_MOST) this.#waiting.push(frame);
    else this.#again = true;
  }

  #append({ cursor, event, bytes }: HistoryFrame): void {
    const position = parseCursor(cursor);
    if (!position) return;
    if (this.#place && position.epoch !== this.#place.epoch) this.#forget();
    if (!this.#history.append(event, position.seq, bytes)) return;
    this.#place = position;
    this.#schedule.request();
  }

  /** The log was made anew: nothing that is known of it holds. */
  #forget(): void {
    this.#history = new EventHistory(this.#limits);
    this.#place = undefined;
    this.#pages.stop();
    this.#read();
  }

  /** Reads what the history has behind the last event that is known. */
  #read(): void {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    const reading = new AbortController();
    this.#reading = reading;
    this.#whole = false;
    clearTimeout(this.#readOnLater);
    const begun = this.#place?.seq;
    this.#readOn(reading.signal)
      .then(() => {
        if (this.#reading !== reading) return;
        this.#reading = undefined;
        this.#whole = true;
        this.#broken = 0;
        this.#status = 'live';
        this.#error = undefined;
        for (const frame of this.#waiting.splice(0)) this.#append(frame);
      })
      .catch((error: unknown) => {
        if (this.#reading !== reading) return;
        this.#reading = undefined;
        this.#waiting = [];
        if (this.#place?.seq !== begun) this.#broken = 0;
        this.#failed(error);
      })
      .finally(() => this.#schedule.request());
  }

  /** What the service refuses stays refused; what broke off on the way is read on after a while. */
  #failed(error: unknown): void {
    const goesOn = !(error instanceof ApiError) && this.#broken < READ_ON_AT_MOST;
    if (goesOn) this.#readOnLater = setTimeout(() => this.#read(), retryDelay(this.#broken++, Math.random()));
    if (goesOn && this.#history.length > 0) return;
    this.#error = error;
    this.#status = 'failed';
  }

  async #readOn(signal: AbortSignal): Promise<void> {
    do {
      this.#again = false;
      // What came before this is asked is part of the answer.
      this.#waiting = [];
      const known = this.#place;
      try {
        for await (const frames of framesOf(await this.#from(known?.seq ?? 0, signal))) {
          signal.throwIfAborted();
          for (const frame of frames) this.#append(frame);
        }
      } catch (error) {
        if (!known || (error as { code?: unknown }).code !== 'bad_cursor') throw error;
        this.#forget();
      }
    } while (this.#again);
  }

  async #from(seq: number, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return this.#client.history(this.run, seq === 0 ? { signal } : { signal, cursor: this.#cursor(seq) });
  }

  #cursor(seq: number): string {
    return formatCursor({ ...this.#place!, seq });
  }

  #publish(): void {
    this.#view = this.#render();
    for (const listener of [...this.#listeners]) listener();
  }

  #render(): LogView {
    return { history: this.#history, status: this.#status, error: this.#error, pageError: this.#pages.error };
  }
}
