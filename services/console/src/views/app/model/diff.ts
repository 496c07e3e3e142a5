import { structuredPatch } from 'diff';

/** A line of a comparison. `gap`: lines that are the same and left out. */
export interface DiffRow {
  readonly kind: 'same' | 'added' | 'removed' | 'gap';
  /** Numbers of the line in the old and in the new content, from 1. */
  readonly before?: number;
  readonly after?: number;
  readonly text: string;
}

export interface Comparison {
  readonly rows: readonly DiffRow[];
  readonly added: number;
  readonly removed: number;
}

/** More differences than this are no help to a reader, and take long to find. */
const MOST_EDITS = 20_000;
const MOST_MS = 1_500;

/** What became of `before`; `undefined` where there is too much to compare. */
export function compare(before: string, after: string): Comparison | undefined {
  const options = { context: 3, maxEditLength: MOST_EDITS, timeout: MOST_MS };
  const patch = structuredPatch('before', 'after', before, after, '', '', options);
  if (patch === undefined) return undefined;
  const rows: DiffRow[] = [];
  let told = 0;
  for (const { oldStart, newStart, lines } of patch.hunks) {
    let old = oldStart;
    let now = newStart;
    const skipped = old - 1 - told;
    if (skipped > 0) rows.push(gap(skipped));
    for (const line of lines) {
      const text = line.slice(1);
      if (line.startsWith('+')) rows.push({ kind: 'added', after: now++, text });
      else if (line.startsWith('-')) rows.push({ kind: 'removed', before: old++, text });
      else if (line.startsWith(' ')) rows.push({ kind: 'same', before: old++, after: now++, text });
    }
    told = old - 1;
  }
  const left = lineCount(before) - told;
  if (patch.hunks.length > 0 && left > 0) rows.push(gap(left));
  const number = (kind: DiffRow['kind']) => rows.filter((row) => row.kind === kind).length;
  return { rows, added: number('added'), removed: number('removed') };
}

const gap = (lines: number): DiffRow => ({ kind: 'gap', text: lines === 1 ? '1 line' : `${lines} lines` });

function lineCount(text: string): number {
  if (text === '') return 0;
  const ends = text.split('\n').length;
  return text.endsWith('\n') ? ends - 1 : ends;
}
