import { type DeliveryCounts, LAG_BOUNDS_MS, type LagHistogram } from '@toolstream/proto-events';

const emptyHistogram = (): LagHistogram => ({
  cells: new Array<number>(LAG_BOUNDS_MS.length + 1).fill(0),
  sum_ms: 0,
  max_ms: 0,
});

export const emptyCounts = (): DeliveryCounts => ({
  relayed: emptyHistogram(),
  acknowledged: emptyHistogram(),
  joined: { snapshot: 0, start: 0, cursor: 0 },
  gaps: { repaired: 0, snapshot: 0 },
  snapshots: { cold: 0, gap: 0, slow: 0, epoch: 0 },
  slow: { fold: 0, snapshot: 0, close: 0 },
  connections: { accepted: 0, refused: 0 },
  closed: 0,
  history_reads: 0,
});

export function recordLag(histogram: LagHistogram, lagMs: number): void {
  const ms = Math.max(0, lagMs);
  let cell = 0;
  while (cell < LAG_BOUNDS_MS.length && ms > LAG_BOUNDS_MS[cell]!) cell++;
  histogram.cells[cell]!++;
  histogram.sum_ms += ms;
  if (ms > histogram.max_ms) histogram.max_ms = ms;
}

/** Adds what others counted. */
export function addCounts(into: DeliveryCounts, more: DeliveryCounts): void {
  addHistogram(into.relayed, more.relayed);
  addHistogram(into.acknowledged, more.acknowledged);
  addEach(into.joined, more.joined);
  addEach(into.gaps, more.gaps);
  addEach(into.snapshots, more.snapshots);
  addEach(into.slow, more.slow);
  addEach(into.connections, more.connections);
  into.closed += more.closed;
  into.history_reads += more.history_reads;
}

function addHistogram(into: LagHistogram, more: LagHistogram): void {
  for (const [cell, count] of more.cells.entries()) into.cells[cell]! += count;
  into.sum_ms += more.sum_ms;
  into.max_ms = Math.max(into.max_ms, more.max_ms);
}

function addEach<K extends string>(into: Record<K, number>, more: Readonly<Record<K, number>>): void {
  for (const key of Object.keys(into) as K[]) into[key] += more[key];
}

export function sumOf(all: Iterable<DeliveryCounts>): DeliveryCounts {
  const sum = emptyCounts();
  for (const counts of all) addCounts(sum, counts);
  return sum;
}
