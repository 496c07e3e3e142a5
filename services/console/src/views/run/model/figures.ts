import type { Json, ToolMetrics, ToolState } from '@toolstream/proto-events';
import { bytes, count } from '../../../format/index.ts';

/** One measured number, ready to be read: `12.3 kB of 40 kB`, `bytes written`. */
export interface Figure {
  readonly key: string;
  readonly label: string;
  readonly text: string;
}

type Details = Readonly<Record<string, Json>>;

/**
 * What an attempt measures of itself while it runs. Tools name their numbers `bytes_written`, `total_bytes`, `lines_read`,
 * `api_calls_made`; a total belongs to the number that counts the same thing and is shown with it.
 */
export function progressFigures(details: Details | undefined): Figure[] {
  if (details === undefined) return [];
  const totals = Object.keys(details).filter((key) => key.startsWith('total_') && typeof details[key] === 'number');
  const used = new Set<string>();
  const figures: Figure[] = [];
  for (const [key, value] of Object.entries(details)) {
    if (totals.includes(key)) continue;
    const total = totals.find((name) => countsTo(key, name));
    const figure = figureOf(key, value, total === undefined ? undefined : (details[total] as number));
    if (!figure) continue;
    if (total !== undefined && typeof value === 'number') used.add(total);
    figures.push(figure);
  }
  for (const total of totals) if (!used.has(total)) figures.push(figureOf(total, details[total]!)!);
  return figures;
}

const METRICS: readonly (readonly [keyof ToolMetrics, one: string, many: string])[] = [
  ['bytes_written', 'Written', 'Written'],
  ['lines_written', 'Line written', 'Lines written'],
  ['files_created', 'File created', 'Files created'],
  ['api_calls', 'API call', 'API calls'],
  ['memory_peak_bytes', 'Memory at most', 'Memory at most'],
];

/** What an ended attempt measured. What it counted none of is left out. */
export const metricFigures = (metrics: ToolMetrics | undefined): Figure[] =>
  METRICS.flatMap(([key, one, many]) => {
    const value = metrics?.[key] ?? 0;
    if (value === 0) return [];
    return [{ key, label: value === 1 ? one : many, text: isBytes(key) ? bytes(value) : count(value) }];
  });

/** The figures of a call as it stands: while it runs what it reports, afterwards what it measured. */
export const figuresOf = (tool: Pick<ToolState, 'status' | 'progress' | 'metrics' | 'ended_at'>): Figure[] =>
  tool.ended_at === undefined ? progressFigures(tool.progress?.details) : metricFigures(tool.metrics);

function figureOf(key: string, value: Json, total?: number): Figure | undefined {
  const label = labelOf(key);
  if (typeof value === 'number') {
    const format = isBytes(key) ? bytes : count;
    return { key, label, text: total === undefined ? format(value) : `${format(value)} of ${format(total)}` };
  }
  if (typeof value === 'string' && value !== '') return { key, label, text: value };
  if (typeof value === 'boolean') return { key, label, text: value ? 'yes' : 'no' };
  if (Array.isArray(value)) return { key, label, text: count(value.length) };
  return undefined;
}

const isBytes = (key: string): boolean => /(^|_)(bytes|size)(_|$)/.test(key);

/** `bytes_written` and `uploaded_bytes` count up to `total_bytes`, `rows_drawn` to `total_rows`. */
const countsTo = (key: string, total: string): boolean => `_${key}_`.includes(`_${total.slice('total_'.length)}_`);

function labelOf(key: string): string {
  const words = key
    .replaceAll('_', ' ')
    .replace(/\bapi\b/g, 'API')
    .replace(/\burl\b/g, 'URL');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
