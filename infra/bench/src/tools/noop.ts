import { defineTool } from '@toolstream/tool-kit';
import { z } from 'zod';

/** Nothing but what a tool call costs by itself. */
export const tools = [
  defineTool({
    name: 'bench-noop',
    description: 'Does nothing.',
    input: z.object({}),
    idempotent: true,
    isolation: 'inline',
    estimatedMs: 1,
    run: () => ({ ok: true }),
  }),
];
