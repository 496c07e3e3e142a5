import { setTimeout as pause } from 'node:timers/promises';
import { defineTool, type Tool, ToolFailure } from '@toolstream/tool-kit';
import { z } from 'zod';
import { osLineReplace } from '../../services/executor/src/tools/os-line-replace.ts';

/** Waits in steps and says so: a call of known length with progress that is true. */
const steps = defineTool({
  name: 'steps',
  description: 'Waits in steps and reports each one',
  input: z.object({ steps: z.number().int().min(1).max(1000), ms: z.number().int().min(0).max(10_000) }),
  idempotent: true,
  isolation: 'inline',
  estimatedMs: 100,
  retries: { max_attempts: 5, initial_ms: 50, factor: 2, max_ms: 500 },
  async run(ctx, input) {
    for (let done = 1; done <= input.steps; done++) {
      await pause(input.ms, undefined, { signal: ctx.signal });
      await ctx.progress({ stage: 'stepping', progress: (done / input.steps) * 100, details: { done } });
    }
    return { steps: input.steps };
  },
});

/** The same, but its author does not promise that running it twice is like running it once. */
const careful = defineTool({
  name: 'careful',
  description: 'Waits; not idempotent',
  input: z.object({ ms: z.number().int().min(0).max(60_000) }),
  idempotent: false,
  isolation: 'inline',
  estimatedMs: 100,
  async run(ctx, input) {
    await pause(input.ms, undefined, { signal: ctx.signal });
    return { waited: input.ms };
  },
});

const flaky = defineTool({
  name: 'flaky',
  description: 'Fails retryably until the given attempt',
  input: z.object({ succeed_at: z.number().int().min(1) }),
  idempotent: true,
  isolation: 'inline',
  estimatedMs: 10,
  retries: { max_attempts: 4, initial_ms: 30, factor: 2, max_ms: 200 },
  run(ctx, input) {
    if (ctx.attempt < input.succeed_at) {
      throw new ToolFailure({ code: 'not_yet', message: `Attempt ${ctx.attempt} fails on purpose.`, retryable: true });
    }
    return { attempt: ctx.attempt };
  },
});

const noop = defineTool({
  name: 'noop',
  description: 'Does nothing',
  input: z.object({}),
  idempotent: true,
  isolation: 'inline',
  estimatedMs: 1,
  run: () => null,
});

/** The bundled tool itself, in an executor that dies as soon as the file is written and before the attempt's end is. */
const replaceThenDie: Tool = {
  ...osLineReplace,
  name: 'replace-then-die',
  isolation: 'inline',
  async invoke(ctx, args) {
    const result = await osLineReplace.invoke(ctx, args);
    if (ctx.attempt === 1) process.kill(process.pid, 'SIGKILL');
    return result;
  },
};

export const tools = [steps, careful, flaky, noop, replaceThenDie];
