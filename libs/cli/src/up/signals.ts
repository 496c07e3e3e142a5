/** The two ways in which a terminal or a parent tells us to end. */
export interface StopRequests {
  /** Aborted by the first signal: stop in order. */
  readonly polite: AbortSignal;
  /** Aborted by the second: stop now. */
  readonly impatient: AbortSignal;
  /** Back to the default: a signal ends this process at once. */
  release(): void;
}

export function listenForStop(): StopRequests {
  const polite = new AbortController();
  const impatient = new AbortController();
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const heard = () => (polite.signal.aborted ? impatient : polite).abort();
  for (const name of names) process.on(name, heard);
  // A terminal that was closed, or a pipe nobody reads any longer, must not end us before everything is stopped.
  const deaf = () => {};
  for (const stream of [process.stdout, process.stderr]) stream.on('error', deaf);
  return {
    polite: polite.signal,
    impatient: impatient.signal,
    release: () => {
      for (const name of names) process.off(name, heard);
      for (const stream of [process.stdout, process.stderr]) stream.off('error', deaf);
    },
  };
}

export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
