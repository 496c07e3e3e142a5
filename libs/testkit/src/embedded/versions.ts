/** By number, place for place: 2.9.10 comes before 2.15.1. */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
