export interface Lexis {
  /** What starts a comment to the end of the line. */
  readonly line?: string;
  readonly block?: readonly [open: string, close: string];
  /** String delimiters, longest first: `"""` before `"`. */
  readonly strings: readonly string[];
}

/**
 * The text with comments and the insides of strings that a predicate does not keep replaced by spaces, newlines kept:
 * a pattern that matches a line of the result matches code. Strings are kept where their content is what one looks for.
 */
export function blankOut(text: string, lexis: Lexis, keepStrings: boolean): string {
  const out: string[] = [];
  const blank = (from: number, to: number) => out.push(text.slice(from, to).replace(/[^\n]/g, ' '));
  let at = 0;
  while (at < text.length) {
    const end = endOfComment(text, at, lexis);
    if (end !== undefined) {
      blank(at, end);
      at = end;
      continue;
    }
    const quote = lexis.strings.find((delimiter) => text.startsWith(delimiter, at));
    if (quote === undefined) {
      out.push(text[at] ?? '');
      at += 1;
      continue;
    }
    const close = endOfString(text, at + quote.length, quote);
    if (keepStrings && quote.length === 1) out.push(text.slice(at, close));
    else blank(at, close);
    at = close;
  }
  return out.join('');
}

function endOfComment(text: string, at: number, { line, block }: Lexis): number | undefined {
  if (line !== undefined && text.startsWith(line, at)) {
    const end = text.indexOf('\n', at);
    return end < 0 ? text.length : end;
  }
  if (block && text.startsWith(block[0], at)) {
    const end = text.indexOf(block[1], at + block[0].length);
    return end < 0 ? text.length : end + block[1].length;
  }
  return undefined;
}

/** A one-character string ends at its line's end at the latest: a stray apostrophe must not swallow the file. */
function endOfString(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\' && quote !== '`') at += 1;
    else if (text.startsWith(quote, at)) return at + quote.length;
    else if (text[at] === '\n' && quote.length === 1 && quote !== '`') return at;
  }
  return text.length;
}
