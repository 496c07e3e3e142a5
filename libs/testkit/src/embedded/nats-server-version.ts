import { compareVersions } from './versions.ts';

/** Message scheduling and today's fence behaviour start here. */
export const MINIMUM_VERSION = '2.12.0';

/** `nats-server: v2.15.1` → `2.15.1`; a pre-release counts as the version it precedes. */
export function parseVersion(output: string): string | undefined {
  return /\bv?(\d+\.\d+\.\d+)/.exec(output)?.[1];
}

export function isNewEnough(version: string): boolean {
  return compareVersions(version, MINIMUM_VERSION) >= 0;
}
