import { appendFile } from 'node:fs/promises';

/** After the first of a burst: what many tools of one process note is written at once, when all have noted it. */
const WRITE_AFTER_MS = 100;

const notes = new Map<string, string[]>();

/** One more line for a file of what the tools of this process have seen. */
export function note(file: string, line: string): void {
  const lines = notes.get(file);
  if (lines) {
    lines.push(line);
    return;
  }
  notes.set(file, [line]);
  setTimeout(() => {
    const text = `${notes.get(file)!.join('\n')}\n`;
    notes.delete(file);
    // A disk that is slow must not hold up the process that is measured. What is not written is missed by who reads.
    appendFile(file, text).catch(() => {});
  }, WRITE_AFTER_MS);
}
