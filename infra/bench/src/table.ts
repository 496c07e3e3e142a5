import type { Spread, Target } from './pairs.ts';
import type { Row } from './report.ts';

const HEADINGS = ['benchmark', 'what', 'unit', 'ours', 'floor', 'ratio', 'min–max', 'quartiles', 'target', 'verdict'];
/** From here to the last but one a column holds figures. */
const FIRST_FIGURE = 3;

/** The rows as text, figures flush right. */
export function tableOf(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const text = lines.map((cells) => cells.map((cell, column) => padded(cell, column, widths[column]!)).join('  '));
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  return [text[0]!, rule, ...text.slice(1)].map((line) => line.trimEnd()).join('\n');
}

function cellsOf(row: Row): string[] {
  const { ratio } = row;
  const spread = ratio ?? row.spread;
  return [
    row.benchmark,
    row.name,
    row.unit,
    figure(row.ours),
    row.floor === undefined ? '' : figure(row.floor),
    ratio ? factor(ratio.median) : '',
    spread ? range(spread, 'min', 'max', ratio !== undefined) : '',
    spread ? range(spread, 'q1', 'q3', ratio !== undefined) : '',
    row.target ? targetText(row.target, ratio !== undefined) : '',
    row.verdict,
  ];
}

const padded = (cell: string, column: number, width: number): string =>
  column >= FIRST_FIGURE && column < HEADINGS.length - 1 ? cell.padStart(width) : cell.padEnd(width);

const range = (spread: Spread, low: 'min' | 'q1', high: 'max' | 'q3', isRatio: boolean): string => {
  const text = isRatio ? factor : figure;
  return `${text(spread[low])}–${text(spread[high])}`;
};

const targetText = ({ sense, value }: Target, isRatio: boolean): string =>
  `${sense === 'at_least' ? '≥' : '≤'} ${isRatio ? factor(value) : figure(value)}`;

const factor = (value: number): string => `${value.toFixed(2)}×`;

/** Three significant digits below 1,000, whole numbers with separators above. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
