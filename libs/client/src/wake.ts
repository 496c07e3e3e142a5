/** What a page, or a runtime without one, tells of the machine's and its own sleep. */
export interface Surroundings {
  readonly addEventListener?: EventTarget['addEventListener'];
  readonly removeEventListener?: EventTarget['removeEventListener'];
  readonly document?: Pick<Document, 'addEventListener' | 'removeEventListener' | 'visibilityState'>;
}

export interface Sleeper {
  /** Time may have passed unnoticed, or the network may be another: look at once. */
  wake(): void;
  /** Nothing runs from now on, until {@link wake}: part politely. */
  freeze(): void;
  /** The page is seen by somebody, or by nobody. */
  show(shown: boolean): void;
}

const TICK_MS = 5_000;
/** A timer that is later than this was held up by more than a busy thread. */
const LATE_MS = 15_000;

/**
 * Listens for everything that ends a sleep: a tab that is shown again, a page that comes out of the cache, the network's
 * return, and a clock that has jumped, which is all that tells of a laptop's closed lid.
 */
export function watchSleep(
  sleeper: Sleeper,
  around: Surroundings = globalThis,
  now: () => number = Date.now,
): () => void {
  const { document } = around;
  const wake = () => sleeper.wake();
  const freeze = () => sleeper.freeze();
  const seen = () => {
    const shown = document?.visibilityState !== 'hidden';
    sleeper.show(shown);
    if (shown) wake();
  };
  const heard: [Surroundings | NonNullable<Surroundings['document']> | undefined, string, (event: Event) => void][] = [
    [around, 'online', wake],
    [around, 'pageshow', wake],
    // A page with an open connection is not kept in the cache for going back.
    [around, 'pagehide', (event) => (event as PageTransitionEvent).persisted && freeze()],
    [document, 'visibilitychange', seen],
    [document, 'resume', wake],
    [document, 'freeze', freeze],
  ];
  for (const [target, name, listener] of heard) target?.addEventListener?.(name, listener);
  sleeper.show(document?.visibilityState !== 'hidden');
  let due = now() + TICK_MS;
  const clock = setInterval(() => {
    const late = now() - due;
    due = now() + TICK_MS;
    if (late > LATE_MS) wake();
  }, TICK_MS);
  return () => {
    clearInterval(clock);
    for (const [target, name, listener] of heard) target?.removeEventListener?.(name, listener);
  };
}
