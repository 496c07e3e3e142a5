import { RE2JS } from 're2js';

export type PathTest = (path: string) => boolean;

const MAX_GLOB_CHARS = 256;

/**
 * Globs over workspace paths: `*` and `?` stay within a folder, `**` crosses folders, `[a-z]` and `{a,b}` as usual. One without
 * a slash matches in every folder. Matched in linear time, whatever a model writes. Throws a `RangeError` that says what is wrong.
 */
export function globTest(globs: readonly string[]): PathTest {
  const tests = globs.map((glob) => RE2JS.compile(patternOf(glob)));
  return (path) => tests.some((test) => test.matches(path));
}

function patternOf(glob: string): string {
  if (glob.length > MAX_GLOB_CHARS) throw new RangeError(`a glob may have ${MAX_GLOB_CHARS} characters`);
  const anchored = glob.replace(/^\.?\//, '');
  const text = glob.includes('/') ? anchored : `**/${anchored}`;
  let out = '';
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (text.startsWith('**/', at) && (at === 0 || text[at - 1] === '/')) {
      out += '(?:[^/]+/)*';
      at += 2;
    } else if (text.startsWith('**', at)) {
      out += '.*';
      at += 1;
    } else if (char === '*') out += '[^/]*';
    else if (char === '?') out += '[^/]';
    else if (char === '[') {
      const end = text.indexOf(']', at + 2);
      if (end < 0) throw new RangeError(`${JSON.stringify(glob)}: a [ is not closed`);
      const inner = text.slice(at + 1, end);
      const negated = inner.startsWith('!') || inner.startsWith('^');
      out += `[${negated ? '^/' : ''}${inner.slice(negated ? 1 : 0).replace(/[\\[\]&~^]/g, '\\$&')}]`;
      at = end;
    } else if (char === '{') {
      out += '(?:';
      depth += 1;
    } else if (char === '}' && depth > 0) {
      out += ')';
      depth -= 1;
    } else if (char === ',' && depth > 0) out += '|';
    else {
      out += RE2JS.quote(char);
      at += char.length - 1;
    }
  }
  if (depth > 0) throw new RangeError(`${JSON.stringify(glob)}: a { is not closed`);
  return `(?s)${out}`;
}
