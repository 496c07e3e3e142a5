/** Other writers won every time; what was to be done comes again with the next delivery. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
  readonly code = 'busy';

  constructor(run: string) {
    super(`busy: run ${run} was changed by others faster than a decision could be appended; it is tried again.`);
  }
}
