import { ToolstreamError } from './errors.ts';

/** Longer than any frame. */
export const LONGEST = 32 * 1024 * 1024;

/** Cuts text that arrives in pieces into lines. A line that is longer than any frame is an error, not a growing buffer. */
export class Lines {
  #parts: string[] = [];
  #length = 0;

  /** The lines that this piece completes, without their ends. */
  push(piece: string): string[] {
    const lines = piece.split('\n');
    const rest = lines.pop()!;
    if (lines.length > 0) {
      lines[0] = this.#parts.join('') + lines[0];
      this.#parts = [];
      this.#length = 0;
    }
    this.#length += rest.length;
    if (this.#length > LONGEST) throw new ToolstreamError('bad_answer', 'The service sent a line without an end.');
    if (rest !== '') this.#parts.push(rest);
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  }
}
