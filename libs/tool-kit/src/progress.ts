import type { Json } from '@toolstream/proto-events';

export interface ProgressReport {
  /** What the tool is doing now, one short word: `analyzing`, `writing`. */
  readonly stage: string;
  readonly message?: string | undefined;
  /** A measured percentage. Leave it out where the total is unknown. */
  readonly progress?: number | undefined;
  readonly details?: { readonly [key: string]: Json } | undefined;
}

/** Stages that may wait at once. A tool that races through more loses the oldest of them, never the newest. */
export const MAX_WAITING_STAGES = 32;

/**
 * What a tool reported and nobody took yet: the newest report of each stage, in the order of the stages. However often
 * a tool reports, this holds at most {@link MAX_WAITING_STAGES} reports.
 */
export class ProgressQueue {
  readonly #waiting: ProgressReport[] = [];
  #lastTaken: string | undefined;

  push(report: ProgressReport): void {
    const newest = this.#waiting.length - 1;
    if (this.#waiting[newest]?.stage === report.stage) this.#waiting[newest] = report;
    else this.#waiting.push(report);
    if (this.#waiting.length > MAX_WAITING_STAGES) this.#waiting.shift();
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** Is the next report a change of stage, or does one wait behind it? */
  get nextIsUrgent(): boolean {
    return this.#waiting.length > 1 || (this.#waiting.length === 1 && this.#waiting[0]?.stage !== this.#lastTaken);
  }

  take(): ProgressReport | undefined {
    const report = this.#waiting.shift();
    if (report) this.#lastTaken = report.stage;
    return report;
  }

  takeAll(): ProgressReport[] {
    const reports = this.#waiting.splice(0);
    this.#lastTaken = reports.at(-1)?.stage ?? this.#lastTaken;
    return reports;
  }
}

/**
 * Decides which reports become events, and when. Guarantees, for any sequence of reports:
 * at most `hz` in any second (one of them is kept back for the end, so that {@link drain} stays within it);
 * a change of stage goes at once while that lasts, updates of one stage are spaced by 1/`hz`;
 * the last report is never lost, however the attempt ends.
 */
export class ProgressCoalescer {
  readonly #queue = new ProgressQueue();
  readonly #spacingMs: number;
  readonly #perSecond: number;
  /** Times of the last events, oldest first, at most one second's worth. */
  readonly #recent: number[] = [];

  constructor(hz: number) {
    this.#spacingMs = 1000 / hz;
    this.#perSecond = Math.max(1, hz - 1);
  }

  report(report: ProgressReport): void {
    this.#queue.push(report);
  }

  get size(): number {
    return this.#queue.size;
  }

  /** When {@link take} will next give something; `undefined` when nothing waits. */
  dueAt(now: number): number | undefined {
    if (this.#queue.size === 0) return undefined;
    this.#forget(now);
    // The event that must be a second old before the next one may go.
    const limiting = this.#recent[this.#recent.length - this.#perSecond];
    const windowOpens = limiting === undefined ? now : Math.max(now, limiting + 1000);
    if (this.#queue.nextIsUrgent) return windowOpens;
    const last = this.#recent.at(-1);
    return Math.max(windowOpens, last === undefined ? now : last + this.#spacingMs);
  }

  take(now: number): ProgressReport | undefined {
    const due = this.dueAt(now);
    if (due === undefined || due > now) return undefined;
    return this.#taken(this.#queue.take(), now);
  }

  /** The end of the attempt: what still fits into this second, and the last report always. */
  drain(now: number): ProgressReport[] {
    this.#forget(now);
    const reports = this.#queue.takeAll();
    const room = Math.max(1, this.#perSecond + 1 - this.#recent.length);
    const kept = reports.slice(-room);
    for (const report of kept) this.#taken(report, now);
    return kept;
  }

  #taken(report: ProgressReport | undefined, now: number): ProgressReport | undefined {
    if (report) this.#recent.push(now);
    return report;
  }

  #forget(now: number): void {
    while (this.#recent.length > 0 && (this.#recent[0] ?? 0) <= now - 1000) this.#recent.shift();
  }
}
