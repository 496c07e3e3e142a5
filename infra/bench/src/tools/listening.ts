import { appendFile } from 'node:fs/promises';
import { defineTool } from '@toolstream/tool-kit';
import { z } from 'zod';
import { now } from '../clock.ts';

/** After the first of a burst: what many tools of one process note is written at once, when all have noted it. */
const WRITE_AFTER_MS = 100;

const notes = new Map<string, string[]>();

function note(file: string, line: string): void {
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

/** Waits for nothing but its signal, and notes when it came: `<run> <index> <nanoseconds>`. */
export const tools = [
  defineTool({
    name: 'bench-listen',
    description: 'Runs until it is told to stop.',
    input: z.object({ file: z.string() }),
    idempotent: true,
    isolation: 'inline',
    timeoutMs: 600_000,
    estimatedMs: 10_000,
    run: ({ signal, call }, { file }) =>
      new Promise((_, reject) => {
        const stop = () => {
          note(file, `${call.run} ${call.index} ${now()}`);
          reject(signal.reason);
        };
        if (signal.aborted) stop();
        else signal.addEventListener('abort', stop, { once: true });
      }),
  }),
];
