/** The sum of a metric's values, whatever its labels, in the text format of Prometheus; `undefined`: it has none. */
export function sumIn(text: string, name: string): number | undefined {
  const line = new RegExp(`^${name}(?:_total)?(?:\\{.*\\})? ([0-9.e+-]+)`, 'gm');
  const values = [...text.matchAll(line)].map(([, value]) => Number(value));
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

/** What an edge counts by itself; a counter that has counted nothing yet is not in the text. */
export async function edgeCounter(edgeUrl: string, name: string): Promise<number> {
  return sumIn(await metricsOf(edgeUrl), name) ?? 0;
}

/** What an edge measures by itself, and always tells: a gauge that is not there has another name. */
export async function edgeGauge(edgeUrl: string, name: string): Promise<number> {
  const value = sumIn(await metricsOf(edgeUrl), name);
  if (value === undefined) throw new Error(`no_gauge: ${edgeUrl}/metrics does not tell ${name}`);
  return value;
}

async function metricsOf(edgeUrl: string): Promise<string> {
  const response = await fetch(`${edgeUrl}/metrics`);
  if (!response.ok) throw new Error(`no_metrics: ${edgeUrl}/metrics answered ${response.status}`);
  return response.text();
}
