import { defineTool, inputNeeded, ToolFailure } from '@toolstream/tool-kit';
import { z } from 'zod';

const base = { idempotent: true, isolation: 'inline', estimatedMs: 10 } as const;

const chatter = defineTool({
  ...base,
  name: 'chatter',
  description: 'Writes to its output and to its errors',
  input: z.object({}),
  async run(ctx) {
    await ctx.output('stdout', 'all is well\n');
    await ctx.output('stderr', 'something is odd\n');
    return { said: 2 };
  },
});

const flood = defineTool({
  ...base,
  name: 'flood',
  description: 'Writes more than events may hold',
  input: z.object({ kilobytes: z.number().int().min(1).max(12_000) }),
  async run(ctx, { kilobytes }) {
    for (let k = 1; k <= kilobytes; k++) await ctx.output('stdout', `${`kilobyte ${k} `.padEnd(1023, '.')}\n`);
    return { kilobytes };
  },
});

const large = defineTool({
  ...base,
  name: 'large',
  description: 'Returns more than an event may hold',
  input: z.object({}),
  run: () => ({ title: 'A large result', items: Array.from({ length: 4_000 }, (_, n) => `item number ${n}`) }),
});

const forBob = defineTool({
  ...base,
  name: 'for-bob',
  description: 'Bob decides',
  approval: 'always',
  approvers: ['bob'],
  approvalTimeoutMs: 3_600_000,
  input: z.object({}),
  run: () => ({ allowed: true }),
});

const curious = defineTool({
  ...base,
  name: 'curious',
  description: 'Asks where to',
  input: z.object({ where: z.string().optional() }),
  run(_ctx, { where }) {
    if (where === undefined) throw inputNeeded({ message: 'Where should it go?', schema: { type: 'object' } });
    return { where };
  },
});

const second = defineTool({
  ...base,
  name: 'second',
  description: 'Succeeds when it is asked a second time',
  input: z.object({}),
  run(ctx) {
    if (ctx.attempt === 1) throw new ToolFailure({ code: 'not_now', message: 'Not the first time.', retryable: false });
    return { attempt: ctx.attempt };
  },
});

export const tools = [chatter, flood, large, forBob, curious, second];
