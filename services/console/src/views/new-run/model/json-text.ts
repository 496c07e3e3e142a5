import type { Json } from '@toolstream/proto-events';

export type ParsedJson =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly message: string; readonly line: number; readonly column: number };

export const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON, or where it stops being any: browsers say that in ways of their own, and some do not say it at all. */
export function parseJson(text: string): ParsedJson {
  try {
    return { ok: true, value: JSON.parse(text) as Json };
  } catch (error) {
    const at = failureIn(text);
    return { ok: false, ...placeOf(text, at), message: reasonAt(text, at, error) };
  }
}

function placeOf(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

function reasonAt(text: string, at: number, error: unknown): string {
  if (text.trim() === '') return 'There is nothing here yet.';
  if (at >= text.trimEnd().length)
    return 'It ends before it is complete: a bracket, brace or quotation mark is missing.';
  const found = text[at]!;
  if (found === "'") return 'JSON takes double quotation marks, not single ones.';
  if ((found === '}' || found === ']') && /,\s*$/.test(text.slice(0, at)))
    return 'A comma may not stand before a closing bracket.';
  if (found === '\n' || found === '\t') return 'A line break or tab inside a string is written as \\n or \\t.';
  if (error instanceof SyntaxError && /[{[,:]\s*$/.test(text.slice(0, at)) && /[A-Za-z_$]/.test(found))
    return 'Names and texts stand in double quotation marks.';
  return `Unexpected ${JSON.stringify(found)}.`;
}

/** The first character that no JSON could have there. Reads each character once. */
function failureIn(text: string): number {
  let at = 0;
  const space = () => {
    while (at < text.length && ' \t\n\r'.includes(text[at]!)) at++;
  };
  const word = (literal: string): boolean => {
    for (const char of literal) {
      if (text[at] !== char) return false;
      at++;
    }
    return true;
  };
  const string = (): boolean => {
    if (text[at] !== '"') return false;
    for (at++; at < text.length; at++) {
      const char = text[at]!;
      if (char === '"') {
        at++;
        return true;
      }
      if (char < ' ') return false;
      if (char !== '\\') continue;
      at++;
      const escaped = /^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(text.slice(at, at + 5));
      if (!escaped) return false;
      at += escaped[0].length - 1;
    }
    return false;
  };
  const number = (): boolean => {
    const match = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(text.slice(at, at + 400));
    if (!match) return false;
    at += match[0].length;
    return true;
  };
  const list = (close: string, item: () => boolean): boolean => {
    at++;
    space();
    if (text[at] === close) {
      at++;
      return true;
    }
    for (;;) {
      if (!item()) return false;
      space();
      if (text[at] === close) {
        at++;
        return true;
      }
      if (text[at] !== ',') return false;
      at++;
      space();
    }
  };
  const member = (): boolean => {
    if (!string()) return false;
    space();
    if (text[at] !== ':') return false;
    at++;
    return value();
  };
  const value = (): boolean => {
    space();
    switch (text[at]) {
      case '{':
        return list('}', member);
      case '[':
        return list(']', value);
      case '"':
        return string();
      case 't':
        return word('true');
      case 'f':
        return word('false');
      case 'n':
        return word('null');
      default:
        return number();
    }
  };
  try {
    if (value()) space();
  } catch {
    // Nested deeper than the stack: where exactly it fails is not found.
  }
  return at;
}
