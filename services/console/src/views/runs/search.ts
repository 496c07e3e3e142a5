import type { RunStatus } from '@toolstream/proto-events';

/** What of the list is shown: kept in the address, so that it can be shared and survives a reload. */
export interface RunsSearch {
  readonly app?: string;
  readonly status?: StatusChoice;
  readonly tool?: string;
  readonly since?: Since;
  /** The `next` of the page before. */
  readonly before?: string;
}

export const LIVE_STATUSES: readonly RunStatus[] = ['accepted', 'running', 'paused', 'cancelling'];
const STATUSES: readonly StatusChoice[] = ['live', ...LIVE_STATUSES, 'succeeded', 'failed', 'cancelled'];
/** A status, or every one of a run that has not ended. */
export type StatusChoice = RunStatus | 'live';

export const SINCE_MS = { hour: 3_600_000, day: 24 * 3_600_000, week: 7 * 24 * 3_600_000 } as const;
export type Since = keyof typeof SINCE_MS;

/** What an address says, as far as it makes sense. */
export function runsSearch(raw: Record<string, unknown>): RunsSearch {
  const { app, status, tool, since, before } = raw;
  return {
    ...(isName(app) ? { app: String(app) } : {}),
    ...(STATUSES.includes(status as StatusChoice) ? { status: status as StatusChoice } : {}),
    ...(isName(tool) ? { tool: String(tool) } : {}),
    ...(typeof since === 'string' && Object.hasOwn(SINCE_MS, since) ? { since: since as Since } : {}),
    ...(typeof before === 'string' && before.length <= 1024 ? { before } : {}),
  };
}

/** What an app may be called, and a tool. One that is called `42` comes back from an address as a number. */
const isName = (value: unknown): value is string | number =>
  (typeof value === 'string' || typeof value === 'number') && /^[A-Za-z0-9_-]{1,64}$/.test(String(value));

export const isAppName = (text: string): boolean => isName(text);

export const isFiltered = ({ app, status, tool, since }: RunsSearch): boolean =>
  [app, status, tool, since].some((part) => part !== undefined);
