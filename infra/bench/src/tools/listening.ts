import { defineTool } from '@toolstream/tool-kit';
import { z } from 'zod';
import { now } from '../clock.ts';
import { note } from './notes.ts';

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
