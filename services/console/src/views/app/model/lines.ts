/** A piece of a line. `className` is one of the highlighter's names; its colours are in `Code.module.css`. */
export interface Piece {
  readonly text: string;
  readonly className?: string;
}
export type Line = readonly Piece[];

/** The text in lines, without colours: what is there until the highlighter is loaded, and where it has nothing to say. */
export const plain = (text: string): Line[] =>
  withoutLastEmpty(text.split('\n').map((line) => (line === '' ? [] : [{ text: line }])));

/** A newline ends a line, it does not begin another. */
export const withoutLastEmpty = (lines: readonly Line[]): Line[] =>
  lines.at(-1)?.length === 0 ? lines.slice(0, -1) : [...lines];
