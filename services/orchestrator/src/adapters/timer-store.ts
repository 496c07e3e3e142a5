import type { JetStreamManager } from '@nats-io/jetstream';
import { TIMERS_STREAM, timerScheduleSubject } from '@toolstream/proto-events';
import { asError, type Logger } from '@toolstream/service-kit';
import type { TimerStore } from '../ports.ts';

/** Timers whose retirement waits; what comes beyond stays and fires in its time. */
const MOST_WAITING = 10_000;
const AT_ONCE = 16;

/** Deletes schedules by their place where it is known: a purge by subject costs the server many times as much. */
export class TimerRetirement implements TimerStore {
  readonly #jsm: JetStreamManager;
  readonly #log: Logger;
  readonly #waiting: { id: string; seq: number | undefined }[] = [];
  #active = 0;

  constructor(jsm: JetStreamManager, log: Logger) {
    this.#jsm = jsm;
    this.#log = log;
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
        await this.#delete(timer.id, timer.seq);
      } catch (error) {
        this.#log.debug({ timer: timer.id, reason: asError(error).message }, 'a timer was not retired, it will fire');
      }
    }
    this.#active--;
  }

  async #delete(id: string, known: number | undefined): Promise<void> {
    const seq =
      known ?? (await this.#jsm.streams.getMessage(TIMERS_STREAM, { last_by_subj: timerScheduleSubject(id) }))?.seq;
    if (seq !== undefined) await this.#jsm.streams.deleteMessage(TIMERS_STREAM, seq, false);
  }
}
