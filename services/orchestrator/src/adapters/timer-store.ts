import type { EventLog } from '@toolstream/event-log';
import { asError, type Logger } from '@toolstream/service-kit';
import type { TimerStore } from '../ports.ts';

/** Timers whose retirement waits; what comes beyond stays and fires in its time. */
const MOST_WAITING = 10_000;
const AT_ONCE = 16;

/** Takes timers away in the background, a few at once. */
export class TimerRetirement implements TimerStore {
  readonly #log: Pick<EventLog, 'retireTimer'>;
  readonly #logger: Logger;
  readonly #waiting: { id: string; seq: number | undefined }[] = [];
  #active = 0;

  constructor(log: Pick<EventLog, 'retireTimer'>, logger: Logger) {
    this.#log = log;
    this.#logger = logger;
  }

  retire(id: string, seq: number | undefined): void {
    if (this.#waiting.length >= MOST_WAITING) return;
    this.#waiting.push({ id, seq });
    if (this.#active < AT_ONCE) void this.#work();
  }

  async #work(): Promise<void> {
    this.#active++;
    for (let timer = this.#waiting.shift(); timer; timer = this.#waiting.shift()) {
      try {
        await this.#log.retireTimer(timer.id, timer.seq);
      } catch (error) {
        this.#logger.debug(
          { timer: timer.id, reason: asError(error).message },
          'a timer was not retired, it will fire',
        );
      }
    }
    this.#active--;
  }
}
