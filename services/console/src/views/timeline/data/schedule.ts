/** Pages that nobody sees have no frames; they are kept up to date, slowly. */
const HIDDEN_MS = 250;

/** Does its work once per painted frame at most, however often it is asked for. */
export class FrameSchedule {
  readonly #work: () => void;
  #frame: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(work: () => void) {
    this.#work = work;
  }

  request(): void {
    if (this.#timer !== undefined) return;
    const run = () => {
      this.stop();
      this.#work();
    };
    if (typeof requestAnimationFrame === 'function') this.#frame = requestAnimationFrame(run);
    this.#timer = setTimeout(run, HIDDEN_MS);
  }

  stop(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = this.#timer = undefined;
  }
}
