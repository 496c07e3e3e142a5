import { stripVTControlCharacters } from 'node:util';
import { widthOf } from './text.ts';

const up = (rows: number): string => (rows > 0 ? `\u001b[${rows}A` : '');
const ERASE_LINE = '\u001b[2K';
const ERASE_BELOW = '\u001b[J';

/** Rows that lines take on a terminal this wide, which may have become narrower than they were made for. */
export const rowsOf = (lines: readonly string[], width: number): number =>
  lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(widthOf(stripVTControlCharacters(line)) / width)), 0);

/**
 * What to write so that `previous`, whose last line the cursor stands below, becomes `next`. Lines that did not change are
 * passed over; after a change of width everything is written anew.
 */
export function repaint(previous: readonly string[], next: readonly string[], resizedTo?: number): string {
  if (resizedTo !== undefined) return `\r${up(rowsOf(previous, resizedTo))}${ERASE_BELOW}${block(next)}`;
  if (previous.length === next.length && previous.every((line, i) => line === next[i])) return '';
  let out = `\r${up(previous.length)}`;
  next.forEach((line, i) => {
    if (line === previous[i]) out += '\n';
    else out += `${i < previous.length ? ERASE_LINE : ''}${line}\n`;
  });
  return next.length < previous.length ? out + ERASE_BELOW : out;
}

const block = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
