import { setTimeout as sleep } from 'node:timers/promises';
import { defineTool } from '@toolstream/tool-kit';
import { z } from 'zod';

export const WAIT_MS = 100;

/** What waits for someone else's answer: no work here, only time. */
export const waiting = (name: string) =>
  defineTool({
    name,
    description: 'Waits for a tenth of a second.',
    input: z.object({}),
    idempotent: true,
    isolation: 'inline',
    estimatedMs: WAIT_MS,
    run: async ({ signal }) => {
      await sleep(WAIT_MS, undefined, { signal });
      return { waited_ms: WAIT_MS };
    },
  });
