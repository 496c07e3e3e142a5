/** The sum of a counter's values, whatever its labels, in the text format of Prometheus; 0 when nothing was counted yet. */
export function counterIn(text: string, name: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    const value = new RegExp(`^${name}(?:_total)?(?:\\{.*\\})? ([0-9.e+-]+)`).exec(line)?.[1];
    if (value !== undefined) sum += Number(value);
  }
  return sum;
}

/** What an edge counts by itself. */
export async function edgeCounter(edgeUrl: string, name: string): Promise<number> {
  const response = await fetch(`${edgeUrl}/metrics`);
  if (!response.ok) throw new Error(`no_metrics: ${edgeUrl}/metrics answered ${response.status}`);
  return counterIn(await response.text(), name);
}
