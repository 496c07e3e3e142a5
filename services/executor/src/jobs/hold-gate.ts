/**
 * Where a paused run holds a tool: every call of the tool on its context passes through here. Open, it costs nothing;
 * closed, callers wait; broken (the attempt is being stopped), they get the reason thrown.
 */
export class HoldGate {
  readonly #waiting: { resolve: () => void; reject: (reason: unknown) => void; checkpoint: boolean }[] = [];
  readonly #onHeld: (held: boolean) => void;
  #closed = false;
  #broken: Error | undefined;

  /** `onHeld` is told when the first call begins to wait, and when the waiting ends. */
  constructor(onHeld: (held: boolean) => void) {
    this.#onHeld = onHeld;
  }

  get isHolding(): boolean {
    return this.#waiting.length > 0;
  }

  /** All that waits is a call that has just stored where another attempt can go on: nothing has happened since. */
  get standsAtCheckpoint(): boolean {
    return this.#waiting.length > 0 && this.#waiting.every(({ checkpoint }) => checkpoint);
  }

  close(): void {
    this.#closed = true;
  }

  open(): void {
    this.#closed = false;
    this.#settle((waiter) => waiter.resolve());
  }

  break(reason: Error): void {
    this.#broken ??= reason;
    this.#settle((waiter) => waiter.reject(this.#broken));
  }

  /** Throws when broken, and never waits. */
  check(): void {
    if (this.#broken) throw this.#broken;
  }

  /** Throws when broken; `undefined` when open, so that the common case awaits nothing. */
  pass({ checkpoint = false } = {}): Promise<void> | undefined {
    this.check();
    if (!this.#closed) return undefined;
    const first = this.#waiting.length === 0;
    const passed = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject, checkpoint }));
    if (first) this.#onHeld(true);
    return passed;
  }

  #settle(settle: (waiter: { resolve: () => void; reject: (reason: unknown) => void }) => void): void {
    const waiting = this.#waiting.splice(0);
    if (waiting.length === 0) return;
    this.#onHeld(false);
    for (const waiter of waiting) settle(waiter);
  }
}
