/** Message scheduling and today's fence behaviour start here. */
export const MINIMUM_VERSION = '2.12.0';

/** `nats-server: v2.15.1` → `2.15.1`; a pre-release counts as the version it precedes. */
export function parseVersion(output: string): string | undefined {
  return /\bv?(\d+\.\d+\.\d+)/.exec(output)?.[1];
}

export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number)) as [number[], number[]];
  for (let place = 0; place < 3; place++) {
    const difference = (left[place] ?? 0) - (right[place] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function isNewEnough(version: string): boolean {
  return compareVersions(version, MINIMUM_VERSION) >= 0;
}
