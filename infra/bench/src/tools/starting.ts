import { defineTool } from '@toolstream/tool-kit';
import { z } from 'zod';
import { now } from '../clock.ts';
import { note } from './notes.ts';

/** Notes when its first line ran: `<id> <nanoseconds>`. */
export const tools = [
  defineTool({
    name: 'bench-start',
    description: 'Notes when it started.',
    input: z.object({ file: z.string(), id: z.string() }),
    idempotent: true,
    isolation: 'inline',
    estimatedMs: 1,
    run: (_, { file, id }) => {
      note(file, `${id} ${now()}`);
      return { ok: true };
    },
  }),
];
