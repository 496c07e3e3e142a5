import { setTimeout as pause } from 'node:timers/promises';
import { defineTool, ToolFailure } from '@toolstream/tool-kit';
import { z } from 'zod';

/** Lines of output, one every so often, with measured progress unless its total is said to be unknown. */
const talk = defineTool({
  name: 'talk',
  description: 'Writes lines of output one after the other',
  input: z.object({
    lines: z.number().int().min(1).max(20_000),
    ms: z.number().int().min(0).max(10_000).default(0),
    known: z.boolean().default(true),
    attempts: z.number().int().min(1).max(4).default(1).describe('The attempts before this one break off half way'),
  }),
  idempotent: true,
  isolation: 'inline',
  estimatedMs: 500,
  retries: { max_attempts: 5, initial_ms: 300, factor: 2, max_ms: 2_000 },
  async run(ctx, { lines, ms, known, attempts }) {
    for (let line = 1; line <= lines; line++) {
      if (ms > 0) await pause(ms, undefined, { signal: ctx.signal });
      await ctx.output('stdout', `attempt ${ctx.attempt}: line ${line} of ${lines}\n`);
      if (known) await ctx.progress({ stage: 'talking', progress: (line / lines) * 100, details: { lines: line } });
      else await ctx.progress({ stage: 'talking', message: `${line} lines so far`, details: { lines: line } });
      if (ctx.attempt < attempts && line >= lines / 2)
        throw new ToolFailure({ code: 'broke_off', message: 'It broke off half way, on purpose.', retryable: true });
    }
    return { lines };
  },
});

/** Runs only after somebody approved it. */
const guarded = defineTool({
  name: 'guarded',
  description: 'Runs only when somebody approves it',
  input: z.object({ what: z.string() }),
  idempotent: true,
  isolation: 'inline',
  approval: 'always',
  estimatedMs: 10,
  run: (_ctx, { what }) => ({ done: what }),
});

const hopeless = defineTool({
  name: 'hopeless',
  description: 'Fails for good',
  input: z.object({}),
  idempotent: true,
  isolation: 'inline',
  estimatedMs: 10,
  run() {
    throw new ToolFailure({ code: 'hopeless', message: 'It fails on purpose, and always will.', retryable: false });
  },
});

export const tools = [talk, guarded, hopeless];
