/**
 * What screen readers are told. Polite messages wait their turn: at most one every 5 s, and of those that came meanwhile only
 * the newest of each subject. Alerts (failures, requests for approval) are said at once.
 */
export const POLITE_MS = 5_000;
export const TOGETHER_MS = 1_000;

export interface Spoken {
  readonly polite: string;
  readonly alert: string;
}

export class Announcer {
  readonly #listeners = new Set<() => void>();
  readonly #waiting = new Map<string, string>();
  #spoken: Spoken = { polite: '', alert: '' };
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #alerts: string[] = [];
  #alerting: ReturnType<typeof setTimeout> | undefined;

  get spoken(): Spoken {
    return this.#spoken;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** `subject` is what it is about (`run`, `tool.3`): a newer word on it replaces one that was not yet said. */
  say(message: string, subject = 'page'): void {
    this.#waiting.delete(subject);
    this.#waiting.set(subject, message);
    if (this.#timer === undefined) this.#next();
  }

  /** Alerts that come close together are said together: the later one would otherwise take the place of one still unsaid. */
  alert(message: string): void {
    if (this.#alerting === undefined) {
      this.#alerts.length = 0;
      this.#alerting = setTimeout(() => {
        this.#alerting = undefined;
      }, TOGETHER_MS);
    }
    if (!this.#alerts.includes(message)) this.#alerts.push(message);
    if (this.#alerts.length > MOST) this.#alerts.shift();
    this.#set({ ...this.#spoken, alert: distinct(this.#alerts.join(' '), this.#spoken.alert) });
  }

  #next(): void {
    this.#timer = undefined;
    const messages = [...this.#waiting.values()];
    if (messages.length === 0) return;
    this.#waiting.clear();
    this.#set({ ...this.#spoken, polite: distinct(messages.slice(-MOST).join(' '), this.#spoken.polite) });
    this.#timer = setTimeout(() => this.#next(), POLITE_MS);
  }

  #set(spoken: Spoken): void {
    this.#spoken = spoken;
    for (const listener of this.#listeners) listener();
  }
}

/** Subjects, or alerts, in one announcement. */
const MOST = 4;

/** The same words twice are no change, and no change is not read out. */
const distinct = (message: string, before: string): string => (message === before ? `${message}\u00a0` : message);

export const announcer = new Announcer();
export const announce = (message: string, subject?: string): void => announcer.say(message, subject);
export const alertNow = (message: string): void => announcer.alert(message);
