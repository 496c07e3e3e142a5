/** What can be said of a file's text without running it. */
export interface FileAnalysis {
  readonly language: string;
  /** Modules, packages or files that it names as needed, each once, in order. */
  readonly imports: string[];
  /** UI components that it defines; for Python and Ruby its classes, for Go its types. */
  readonly components: string[];
  /** Why it cannot be what its name says: syntax errors, with their line. */
  readonly problems: string[];
}

export const unique = (values: Iterable<string>): string[] => [...new Set(values)];

export const lineAt = (text: string, offset: number): number => {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
};

/** As editors count: a last line without a newline is a line, an empty file has none. */
export function countLines(text: string): number {
  if (text === '') return 0;
  let newlines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) newlines++;
  return text.endsWith('\n') ? newlines : newlines + 1;
}
