import { QueryRejection } from './context.ts';

export interface SharedOptions {
  /** How many questions may wait for their turn; what comes beyond is refused. */
  readonly waiting: number;
  /** How many answers are kept. */
  readonly kept: number;
  readonly now?: () => number;
}

/**
 * Answers that cost: one is worked out at a time, whoever asks the same shares it, and it is kept for a moment. So neither a
 * hundred open pages nor many tenants with large tables take more than one connection from all other questions.
 */
export class SharedAnswers<T> {
  readonly #options: SharedOptions;
  readonly #now: () => number;
  readonly #answers = new Map<string, { readonly until: number; readonly answer: Promise<T> }>();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: SharedOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** `keptMs` from now on the answer is good enough for whoever asks the same. */
  get(key: string, keptMs: number, work: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(key);
    if (known && this.#now() < known.until) return known.answer;
    if (this.#waiting >= this.#options.waiting)
      throw new QueryRejection('busy', 'Too many figures are being counted. Try again in a moment.');
    this.#waiting++;
    const answer = this.#last.then(work).finally(() => this.#waiting--);
    this.#last = answer.catch(() => {});
    const entry = { until: this.#now() + keptMs, answer };
    this.#answers.delete(key);
    this.#answers.set(key, entry);
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= this.#options.kept) break;
      this.#answers.delete(oldest);
    }
    answer.catch(() => {
      if (this.#answers.get(key) === entry) this.#answers.delete(key);
    });
    return answer;
  }
}
