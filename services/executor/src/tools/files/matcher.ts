import { RE2JS } from 're2js';

/** Where a line matches first, counted from 0; -1 if nowhere. */
export type LineMatcher = (line: string) => number;

export interface MatcherOptions {
  readonly regex: boolean;
  readonly ignoreCase: boolean;
}

/**
 * Regular expressions are run by RE2: time grows with the line, never beyond, whatever a model writes. It knows no
 * look-around and no back-references, and says so.
 */
export function lineMatcher(query: string, { regex, ignoreCase }: MatcherOptions): LineMatcher {
  if (!regex && !ignoreCase) return (line) => line.indexOf(query);
  const flags = ignoreCase ? RE2JS.CASE_INSENSITIVE : 0;
  const pattern = RE2JS.compile(regex ? query : RE2JS.quote(query), flags);
  return (line) => {
    const matcher = pattern.matcher(line);
    return matcher.find() ? matcher.start() : -1;
  };
}
