import { stripVTControlCharacters } from 'node:util';

/**
 * Makes text from outside (arguments, messages of tools, output) safe to write to a terminal: no escape sequence, control
 * character or direction override gets through, and what is written stays on its line.
 */
export function plain(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '');
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NARROW = /^[\x20-\x7e]*$/;

function graphemeWidth(grapheme: string): number {
  if (/^(?:\p{Mn}|\p{Me}|\u200b|\u200c|\u200d|\ufe0f)/u.test(grapheme)) return 0;
  return WIDE.test(grapheme) || grapheme.includes('\ufe0f') ? 2 : 1;
}

/** Columns that the text takes in a terminal. */
export function widthOf(text: string): number {
  if (NARROW.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** The text in at most `width` columns, with an ellipsis where something was cut off. */
export function fit(text: string, width: number, ellipsis = '…'): string {
  if (widthOf(text) <= width) return text;
  const room = width - widthOf(ellipsis);
  if (room < 0) return '';
  let used = 0;
  let kept = '';
  for (const { segment } of graphemes.segment(text)) {
    const columns = graphemeWidth(segment);
    if (used + columns > room) break;
    used += columns;
    kept += segment;
  }
  return kept + ellipsis;
}

/** The text in exactly `width` columns. */
export function column(text: string, width: number, ellipsis = '…'): string {
  const fitted = fit(text, width, ellipsis);
  return fitted + ' '.repeat(Math.max(0, width - widthOf(fitted)));
}
