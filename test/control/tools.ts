import { setTimeout as sleep } from 'node:timers/promises';
import { defineTool, ToolFailure } from '@toolstream/tool-kit';
import { z } from 'zod';

const base = { idempotent: true, isolation: 'inline', estimatedMs: 10 } as const;
const text = z.object({ text: z.string() });
const duration = z.object({ ms: z.number().int().min(0).max(5_000) });

/** Runs when somebody says so; who that may be and how long it is waited for is the tool's to say. */
const asking = (name: string, over: { approvers?: string[]; approvalTimeoutMs?: number } = {}) =>
  defineTool({
    ...base,
    ...over,
    name,
    description: 'Asks before it runs',
    approval: 'always',
    input: text,
    run: (_, input) => input,
  });

const broken = defineTool({
  ...base,
  name: 'broken',
  description: 'Fails, for good',
  input: z.object({}),
  run() {
    throw new ToolFailure({ code: 'broken', message: 'It always fails.' });
  },
});

const finishing = defineTool({
  ...base,
  name: 'finishing',
  description: 'Goes on through a pause',
  pause: 'finish',
  input: duration,
  async run(ctx, { ms }) {
    for (let at = 0; at < ms; at += 20) {
      await sleep(20, undefined, { signal: ctx.signal });
      await ctx.progress({ stage: 'working' });
    }
    return { ms };
  },
});

/** Not to be run twice, but able to go on where it was. */
const stages = defineTool({
  ...base,
  name: 'stages',
  description: 'Keeps what it has done',
  idempotent: false,
  input: z.object({}),
  async run(ctx) {
    const from = (ctx.checkpointState as { done: number } | undefined)?.done ?? 0;
    for (let done = from + 1; done <= 4; done++) {
      await sleep(40, undefined, { signal: ctx.signal });
      await ctx.checkpoint({ done });
    }
    return { from };
  },
});

const deaf = defineTool({
  ...base,
  name: 'deaf',
  description: 'Hears no signal',
  input: duration,
  async run(_, { ms }) {
    await sleep(ms);
    return { ms };
  },
});

export const tools = [
  asking('ask'),
  asking('ask-briefly', { approvalTimeoutMs: 700 }),
  asking('ask-bob', { approvers: ['bob'] }),
  broken,
  finishing,
  stages,
  deaf,
];
