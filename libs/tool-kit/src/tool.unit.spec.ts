import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createContext, type ToolHost } from './context.ts';
import { isToolFailure, ToolAborted, ToolFailure } from './failure.ts';
import type { ProgressReport } from './progress.ts';
import { defineTool, isTool, type ToolSpec, toolDefinition } from './tool.ts';

const none = async () => undefined;
const readOnly = () => Promise.reject(new Error('read only'));

/** Records what a tool asks for. */
function recordingHost(over: Partial<ToolHost> = {}) {
  const reports: ProgressReport[] = [];
  const counts: Record<string, number>[] = [];
  const host: ToolHost = {
    progress: async (batch) => void reports.push(...batch),
    output: none,
    checkpoint: none,
    count: (amounts) => counts.push(amounts),
    log: () => {},
    workspace: { list: async () => [], head: none, read: none, write: readOnly, delete: readOnly, rename: readOnly },
    artifacts: { put: readOnly, get: none },
    ...over,
  };
  return { host, reports, counts };
}

const call = { app: 'web', run: '0-01', index: 0, call_id: 'c', tool: 'greet', attempt: 2, checkpoint: { at: 5 } };
const contextOn = (host: ToolHost) => createContext(call, host, new AbortController().signal);

const input = z.object({ name: z.string(), loud: z.boolean().default(false) });
const greet = (over: Partial<ToolSpec<typeof input>> = {}) =>
  defineTool({
    name: 'greet',
    description: 'Greets',
    input,
    idempotent: true,
    estimatedMs: 5,
    run: (_, { name, loud }) => (loud ? `HELLO ${name}` : `hello ${name}`),
    ...over,
  });

describe('a tool', () => {
  it('is recognised as one, and nothing else is', () => {
    expect(isTool(greet())).toBe(true);
    expect(isTool({ name: 'greet' })).toBe(false);
  });

  it('refuses a name that cannot be part of a subject', () => {
    expect(() => greet({ name: 'two words' })).toThrow(/must be 1 to 64/);
  });

  it('receives parsed arguments', async () => {
    expect(await greet().invoke(contextOn(recordingHost().host), { name: 'x' })).toBe('hello x');
  });

  it('refuses arguments that do not fit, not retryably', async () => {
    const refusal = await greet()
      .invoke(contextOn(recordingHost().host), { name: 1 })
      .catch((e: unknown) => e);
    expect(refusal).toMatchObject({ code: 'invalid_arguments', retryable: false });
    expect(isToolFailure(refusal)).toBe(true);
  });

  it('returns JSON: nothing is null, dates are text', async () => {
    const context = contextOn(recordingHost().host);
    expect(await greet({ run: () => undefined }).invoke(context, { name: 'x' })).toBe(null);
    expect(await greet({ run: () => ({ at: new Date(0) }) }).invoke(context, { name: 'x' })).toEqual({
      at: '1970-01-01T00:00:00.000Z',
    });
  });

  it('fails by name when its result is not JSON', async () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const failure = greet({ run: () => circle }).invoke(contextOn(recordingHost().host), { name: 'x' });
    await expect(failure).rejects.toThrow('JSON cannot hold');
  });
});

describe('a tool definition', () => {
  it('describes what a caller may send', () => {
    const definition = toolDefinition(greet(), 'default');
    expect(definition).toMatchObject({
      name: 'greet',
      pool: 'default',
      isolation: 'thread',
      approval: 'destructive',
      destructive: false,
    });
    expect(definition.input_schema).toMatchObject({ type: 'object', required: ['name'] });
  });

  it('retries idempotent tools and no others unless told to', () => {
    expect(toolDefinition(greet(), 'p').retries.max_attempts).toBe(3);
    expect(toolDefinition(greet({ idempotent: false }), 'p').retries.max_attempts).toBe(1);
    expect(toolDefinition(greet({ idempotent: false, retries: { max_attempts: 5 } }), 'p').retries).toMatchObject({
      max_attempts: 5,
      factor: 2,
    });
  });

  it('must fit the catalog', () => {
    expect(() => toolDefinition(greet({ timeoutMs: 0 }), 'p')).toThrow();
  });
});

describe('a tool context', () => {
  it('tells which attempt it is and what an earlier one kept', () => {
    const context = contextOn(recordingHost().host);
    expect([context.attempt, context.checkpointState]).toEqual([2, { at: 5 }]);
  });

  it('drops percentages that are none and clamps the others', async () => {
    const { host, reports } = recordingHost();
    const context = contextOn(host);
    await context.progress({ stage: 'a', progress: Number.NaN });
    await context.progress({ stage: 'a', progress: 101 });
    expect(reports).toEqual([{ stage: 'a' }, { stage: 'a', progress: 100 }]);
  });

  it('counts', () => {
    const { host, counts } = recordingHost();
    contextOn(host).metrics.add('api_calls', 2);
    expect(counts).toEqual([{ api_calls: 2 }]);
  });

  it('may be left unawaited when the attempt is stopped', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    const stopped = () => Promise.reject(new ToolAborted('cancel', 'cancelled'));
    const context = contextOn(recordingHost({ progress: stopped, output: stopped }).host);
    void context.progress({ stage: 'a' });
    void context.output('stdout', 'x');
    await expect(context.progress({ stage: 'a' })).rejects.toThrow('cancelled');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});

describe('a tool failure', () => {
  it('is not retryable unless it says so', () => {
    expect(new ToolFailure({ code: 'x', message: 'm' }).retryable).toBe(false);
    expect(new ToolFailure({ code: 'x', message: 'm', retryable: true }).retryable).toBe(true);
  });

  it('is told from any other error', () => {
    expect(isToolFailure(new Error('x'))).toBe(false);
  });
});
