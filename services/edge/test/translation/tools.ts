import { defineTool, ToolFailure } from '@toolstream/tool-kit';
import { z } from 'zod';

/** Always asks, then says what it was given. */
const guarded = defineTool({
  name: 'guarded',
  description: 'Says what it was given, once somebody allows it',
  input: z.object({ text: z.string() }),
  idempotent: true,
  isolation: 'inline',
  approval: 'always',
  estimatedMs: 10,
  run: (_ctx, { text }) => ({ said: text }),
});

/** Prints, and answers with more than fits an event. */
const large = defineTool({
  name: 'large',
  description: 'Prints a little and answers with a lot',
  input: z.object({ bytes: z.number().int() }),
  idempotent: true,
  isolation: 'inline',
  estimatedMs: 10,
  async run(ctx, { bytes }) {
    await ctx.output('stdout', 'about to answer\n');
    return { text: 'x'.repeat(bytes) };
  },
});

const broken = defineTool({
  name: 'broken',
  description: 'Fails',
  input: z.object({}),
  idempotent: true,
  isolation: 'inline',
  estimatedMs: 1,
  run: () => {
    throw new ToolFailure({ code: 'disk_full', message: 'The disk is full.', retryable: false });
  },
});

export const tools = [guarded, large, broken];
