import type { RunStatus } from '@toolstream/proto-events';
import { RUN_STATUSES } from './statuses.ts';

/** What of the list is shown: kept in the address, so that it can be shared and survives a reload. */
export interface RunsSearch {
  readonly app?: string;
  readonly status?: RunStatus;
  readonly tool?: string;
  readonly since?: Since;
}

export const SINCE = { hour: 3_600_000, day: 24 * 3_600_000, week: 7 * 24 * 3_600_000 } as const;
export type Since = keyof typeof SINCE;

/** What an address says, as far as it makes sense. */
export function runsSearch(raw: Record<string, unknown>): RunsSearch {
  const { app, status, tool, since } = raw;
  return {
    ...(isName(app) ? { app: String(app) } : {}),
    ...(RUN_STATUSES.includes(status as RunStatus) ? { status: status as RunStatus } : {}),
    ...(isName(tool) ? { tool: String(tool) } : {}),
    ...(typeof since === 'string' && Object.hasOwn(SINCE, since) ? { since: since as Since } : {}),
  };
}

/** An app called `42` comes back from an address as a number. */
const isName = (value: unknown): value is string | number =>
  (typeof value === 'string' || typeof value === 'number') && /^[A-Za-z0-9_.-]{1,64}$/.test(String(value));
