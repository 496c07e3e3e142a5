import type { Progress } from './progress.ts';
import type { RunState } from './types.ts';
import { alertOf, progressText, RUN_WORDS } from './words.ts';

const SPEAK_EVERY_MS = 5_000;

export interface Announcements {
  /** For a polite live region. */
  readonly status: string;
  /** For an alert: failures and requests for approval. */
  readonly alert: string;
}

/**
 * What is read to somebody who does not see the page: milestones at most every 5 s, the newest only; failures and requests for
 * approval at once. What had happened before one began to watch is not told, but for approvals that are still waited for.
 */
export class Announcer {
  #status = '';
  #alert = '';
  #spoken = Number.NEGATIVE_INFINITY;
  #milestone: string | undefined;
  /** By call: what it was last told for. */
  readonly #told = new Map<number, string>();
  #first = true;

  next(run: RunState, progress: Progress, now: number): Announcements {
    const milestone = `${run.status} ${progress.done}`;
    if (milestone !== this.#milestone && now - this.#spoken >= SPEAK_EVERY_MS) {
      this.#milestone = milestone;
      this.#spoken = now;
      this.#status = `${RUN_WORDS[run.status]}: ${progressText(progress)}`;
    }
    const alerts = this.#alerts(run);
    if (alerts.length > 0) this.#alert = alerts.join(' ');
    this.#first = false;
    return { status: this.#status, alert: this.#alert };
  }

  #alerts(run: RunState): string[] {
    const alerts: string[] = [];
    for (const tool of run.tools) {
      const text = alertOf(tool, run);
      const key = text === undefined ? '' : `${tool.status} ${tool.attempt} ${tool.approval?.requested_at ?? ''}`;
      if ((this.#told.get(tool.index) ?? '') === key) continue;
      this.#told.set(tool.index, key);
      if (text !== undefined && (!this.#first || tool.status === 'awaiting_approval')) alerts.push(text);
    }
    return alerts;
  }
}
