/** A text file as lines, and how to put it back together exactly as it was. */
export interface TextLines {
  readonly lines: string[];
  readonly newline: '\n' | '\r\n';
  readonly endsWithNewline: boolean;
}

export function toLines(text: string): TextLines {
  if (text === '') return { lines: [], newline: '\n', endsWithNewline: false };
  const newline = /\r\n/.test(text) && !/(^|[^\r])\n/.test(text) ? '\r\n' : '\n';
  const endsWithNewline = text.endsWith('\n');
  const lines = text.split(newline);
  if (endsWithNewline) lines.pop();
  return { lines, newline, endsWithNewline };
}

export const fromLines = ({ lines, newline, endsWithNewline }: TextLines): string =>
  lines.join(newline) + (endsWithNewline && lines.length > 0 ? newline : '');

/** Lines of a replacement: nothing is no line, and a final newline does not begin another. */
export const replacementLines = (text: string): string[] =>
  text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/);

const isEllipsis = (line: string): boolean => /^\s*(\.\.\.|…)\s*$/.test(line);
const sameLine = (a: string, b: string): boolean => a.trimEnd() === b.trimEnd();

/**
 * Is the search text what these lines say? A line of only `...` stands for any number of lines; spaces at the end of a
 * line do not count. Returns what does not fit, or nothing.
 */
export function mismatch(search: string, region: readonly string[]): string | undefined {
  const pattern = replacementLines(search);
  const parts: string[][] = [[]];
  for (const line of pattern) {
    if (isEllipsis(line)) parts.push([]);
    else parts.at(-1)?.push(line);
  }
  const first = parts[0] ?? [];
  const last = parts.length > 1 ? (parts.at(-1) ?? []) : [];
  const middle = parts.slice(1, -1);
  if (parts.length === 1 && pattern.length !== region.length) {
    return `the search text has ${pattern.length} line(s), the range ${region.length}`;
  }
  if (first.length + last.length > region.length) return 'the search text is longer than the range';
  const startProblem = differs(first, region, 0);
  if (startProblem) return startProblem;
  const endProblem = differs(last, region, region.length - last.length);
  if (endProblem) return endProblem;
  let from = first.length;
  const limit = region.length - last.length;
  for (const part of middle) {
    const at = find(part, region, from, limit);
    if (at < 0) return `the lines ${JSON.stringify(part[0])}… do not occur in the range in this order`;
    from = at + part.length;
  }
  return undefined;
}

function differs(part: readonly string[], region: readonly string[], offset: number): string | undefined {
  const at = part.findIndex((line, i) => !sameLine(line, region[offset + i] ?? ''));
  if (at < 0) return undefined;
  return `line ${offset + at + 1} of the range is ${JSON.stringify(region[offset + at])}, the search text says ${JSON.stringify(part[at])}`;
}

function find(part: readonly string[], region: readonly string[], from: number, limit: number): number {
  for (let at = from; at + part.length <= limit; at++) {
    if (part.every((line, i) => sameLine(line, region[at + i] ?? ''))) return at;
  }
  return -1;
}
