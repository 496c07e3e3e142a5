export const RUN_TABS = ['calls', 'timeline', 'events', 'files'] as const;
export type RunTab = (typeof RUN_TABS)[number];

/** The run view's part of the address: what somebody looks at can be sent to somebody else. */
export interface RunSearch {
  /** Absent: the calls. */
  readonly tab?: RunTab;
  /** Index of the call that is open; absent: the one that runs. */
  readonly call?: number;
  /** A cursor: the run as it was there. */
  readonly at?: string;
}

/** What makes no sense is left out: an address is typed, cut and pasted. */
export function runSearch({ tab, call, at }: Record<string, unknown>): RunSearch {
  const known = RUN_TABS.find((name) => name === tab && name !== 'calls');
  return {
    ...(known === undefined ? {} : { tab: known }),
    ...(typeof call === 'number' && Number.isInteger(call) && call >= 0 ? { call } : {}),
    ...(typeof at === 'string' && at !== '' ? { at } : {}),
  };
}
