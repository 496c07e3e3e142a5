import { spawn } from 'node:child_process';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { runToolCalls, toolsFor } from '@toolstream/agents';
import { aiSdkTools } from '@toolstream/agents/ai-sdk';
import { type Client, createClient, type WatchItem } from '@toolstream/client';
import { messagesAgent } from '@toolstream/example-anthropic-agent';
import { type ModelStub, PAGE, pageScript, type Script, startModelStub } from '@toolstream/example-model-stub';
import { chatAgent, responsesAgent } from '@toolstream/example-openai-agent';
import type { RunState } from '@toolstream/proto-events';
import { generateText, isStepCount } from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack, until } from './support/stack.ts';

let stack: TestStack;
let toolstream: Client;
let stub: ModelStub | undefined;
beforeAll(async () => {
  stack = await startTestStack();
  toolstream = stack.client();
}, 180_000);
afterAll(() => stack?.stop());
afterEach(() => stub?.stop());

const fileText = async (app: string, path: string) => Buffer.from(await toolstream.file(app, path)).toString();
const common = { model: 'none', prompt: 'Write a page.', tools: ['os-write', 'os-read', 'steps'] };

/** Every vendor's SDK and API, whole and streaming, with the same agent behind. */
const AGENTS = {
  'OpenAI chat completions': (url: string, app: string, onText?: (text: string) => void) =>
    chatAgent({
      ...common,
      ...(onText ? { onText } : {}),
      app,
      toolstream,
      openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: 'k', maxRetries: 0 }),
    }),
  'OpenAI responses': (url: string, app: string, onText?: (text: string) => void) =>
    responsesAgent({
      ...common,
      ...(onText ? { onText } : {}),
      app,
      toolstream,
      openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: 'k', maxRetries: 0 }),
    }),
  'Anthropic messages': (url: string, app: string, onText?: (text: string) => void) =>
    messagesAgent({
      ...common,
      ...(onText ? { onText } : {}),
      app,
      toolstream,
      anthropic: new Anthropic({ baseURL: url, apiKey: 'k', maxRetries: 0 }),
    }),
};

describe.each(Object.entries(AGENTS))('An agent on %s', (name, agent) => {
  it.each(['whole', 'streaming'])('runs tools for real and feeds back what the API accepts, %s', async (how) => {
    stub = await startModelStub(pageScript);
    const app = `agent-${name.replaceAll(' ', '-')}-${how}`;
    let words = '';
    const add = (part: string) => {
      words += part;
    };
    const { text, runs } = await agent(stub.url, app, how === 'streaming' ? add : undefined);
    // The script only says so when it was told what the tools really read.
    expect(text).toBe('The page says: Hello from a tool.');
    if (how === 'streaming') expect(words).toContain('I write the page and its style.');
    expect(await fileText(app, 'index.html')).toBe(PAGE);
    expect(await fileText(app, 'site.css')).toContain('teal');

    // The stub refuses what the API would: answers missing, strange, out of order or of another shape.
    expect(stub.requests).toHaveLength(3);
    const [first, second, third] = stub.results;
    expect(first).toEqual([]);
    expect(second?.map(({ content }) => content.includes('invalid_arguments'))).toEqual([false, true, false]);
    if (name.startsWith('Anthropic'))
      expect(second?.map(({ isError }) => isError)).toEqual([undefined, true, undefined]);
    expect(third?.[0]?.content).toContain('Hello from a tool');

    expect(runs).toHaveLength(2);
    const states = await Promise.all(runs.map((run) => toolstream.get(run)));
    expect(states.map(({ status }) => status)).toEqual(['failed', 'succeeded']);
    expect(states[0]?.tools.map(({ status }) => status)).toEqual(['succeeded', 'failed', 'succeeded']);
  });
});

describe('The results of a response', () => {
  const scripted = async (script: Script) => {
    stub = await startModelStub(script);
    const openai = new OpenAI({ baseURL: `${stub.url}/v1`, apiKey: 'k', maxRetries: 0 });
    const request = { model: 'none', messages: [{ role: 'user' as const, content: 'go' }] };
    return openai.chat.completions.create(request);
  };
  const waits =
    (ms: number): Script =>
    () => ({ calls: [{ name: 'steps', arguments: { steps: 10, ms } }] });

  it('are the same when it is handed over again, and nothing runs twice', async () => {
    const completion = await scripted(waits(5));
    const items: WatchItem<RunState>[] = [];
    const options = {
      client: toolstream,
      app: 'again',
      messageId: 'm-again',
      onEvent: (item: WatchItem<RunState>) => void items.push(item),
    };
    const [first, second] = await Promise.all([
      runToolCalls(completion, options),
      runToolCalls(JSON.parse(JSON.stringify(completion)) as typeof completion, {
        client: stack.client(),
        app: 'again',
        messageId: 'm-again',
      }),
    ]);
    const third = await runToolCalls(completion, { client: toolstream, app: 'again', messageId: 'm-again' });
    expect(first?.status).toBe('succeeded');
    expect(second).toEqual(first);
    expect(third).toEqual(first);
    const { runs } = await toolstream.list({ app: 'again' });
    expect(runs.map(({ run_id, message_id }) => [run_id, message_id])).toEqual([[first?.run_id, 'm-again']]);
    const types = items.map((item) => (item.type === 'event' ? item.event.type : item.type));
    expect(types[0]).toBe('run.accepted.v1');
    expect(types).toContain('tool.succeeded.v1');
    expect(types.at(-1)).toBe('end');
  });

  it('are not waited for after an abort, which cancels the run', async () => {
    const completion = await scripted(waits(2_000));
    const abort = new AbortController();
    const gaveUp = new Error('the user went away');
    const items: WatchItem<RunState>[] = [];
    const waiting = runToolCalls(completion, {
      client: toolstream,
      app: 'aborted',
      signal: abort.signal,
      onEvent: (item) => {
        items.push(item);
        if (item.type === 'event' && item.event.type === 'tool.started.v1') abort.abort(gaveUp);
      },
    });
    await expect(waiting).rejects.toBe(gaveUp);
    const { runs } = await toolstream.list({ app: 'aborted', minCursor: (items.at(-1) as { cursor: string }).cursor });
    const state = await until('the run is cancelled', 10_000, async () => {
      const { status } = await toolstream.get(runs[0]!.run_id);
      return status === 'cancelled' ? status : undefined;
    });
    expect(state).toBe('cancelled');
    const before = AbortSignal.abort(gaveUp);
    await expect(runToolCalls(completion, { client: toolstream, app: 'never', signal: before })).rejects.toBe(gaveUp);
    expect((await toolstream.list({ app: 'never' })).runs).toEqual([]);
  });

  it('can be waited for again after an abort that left the run alone', async () => {
    const completion = await scripted(waits(100));
    const abort = new AbortController();
    const options = { client: toolstream, app: 'left' };
    const waiting = runToolCalls(completion, {
      ...options,
      onAbort: 'leave',
      signal: abort.signal,
      onEvent: () => abort.abort(),
    });
    await expect(waiting).rejects.toThrow(/abort/i);
    const answered = await runToolCalls(completion, options);
    expect(answered).toMatchObject({ status: 'succeeded', format: 'openai', messages: [{ role: 'tool' }] });
  });

  it('name the run that goes on where the abort may not cancel it', async () => {
    const completion = await scripted(waits(100));
    const abort = new AbortController();
    const writer = createClient({ url: stack.url, token: await stack.token({ scope: 'runs:read runs:write' }) });
    const waiting = runToolCalls(completion, {
      client: writer,
      app: 'not-mine',
      signal: abort.signal,
      onEvent: () => abort.abort(),
    });
    await expect(waiting).rejects.toMatchObject({
      code: 'not_cancelled',
      message: expect.stringMatching(/run 0-\w+ /),
    });
    writer.close();
  });

  it('never come of a response that was cut off', async () => {
    const completion = await scripted(waits(1));
    completion.choices[0]!.finish_reason = 'length';
    await expect(runToolCalls(completion, { client: toolstream, app: 'cut' })).rejects.toMatchObject({
      code: 'response_cut_off',
    });
    expect((await toolstream.list({ app: 'cut' })).runs).toEqual([]);
  });
});

describe('The tools for a model', () => {
  it('are those chosen, in the form of its API', async () => {
    const [write] = await toolsFor(toolstream, 'openai', ['os-write']);
    expect(write).toMatchObject({ type: 'function', function: { name: 'os-write', parameters: { type: 'object' } } });
    const names = (await toolsFor(toolstream, 'anthropic', (name) => name.startsWith('os-'))).map(({ name }) => name);
    expect(names).toContain('os-write');
    expect(names).not.toContain('steps');
    await expect(toolsFor(toolstream, 'openai-responses', ['os-wirte'])).rejects.toMatchObject({
      code: 'unknown_tool',
    });
  });
});

describe('The AI SDK', () => {
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: 1, text: 1, reasoning: undefined },
  };
  const call = (toolCallId: string, toolName: string, input: object) => ({
    type: 'tool-call' as const,
    toolCallId,
    toolName,
    input: JSON.stringify(input),
  });
  const model = () => {
    let turn = 0;
    return new MockLanguageModelV4({
      doGenerate: async () =>
        turn++ === 0
          ? {
              content: [
                call('c1', 'os-write', { file_path: 'a.txt', content: 'from the SDK\n' }),
                call('c2', 'flaky', { succeed_at: 99 }),
              ],
              finishReason: { unified: 'tool-calls' as const, raw: undefined },
              usage,
              warnings: [],
            }
          : {
              content: [{ type: 'text' as const, text: 'done' }],
              finishReason: { unified: 'stop' as const, raw: undefined },
              usage,
              warnings: [],
            },
    });
  };

  it('executes its calls through Toolstream, and a step that is repeated runs nothing twice', async () => {
    const tools = await aiSdkTools({ client: toolstream, app: 'ai-sdk', choose: ['os-write', 'flaky'] });
    const ask = () => generateText({ model: model(), tools, prompt: 'go', stopWhen: isStepCount(3) });
    const { text, steps } = await ask();
    expect(text).toBe('done');
    const parts = steps[0]!.content.filter(({ type }) => type === 'tool-result' || type === 'tool-error');
    expect(parts).toEqual([
      expect.objectContaining({ type: 'tool-result', toolCallId: 'c1', output: expect.anything() }),
      expect.objectContaining({ type: 'tool-error', toolCallId: 'c2' }),
    ]);
    expect(String((parts[1] as { error: unknown }).error)).toContain('not_yet');
    expect(await fileText('ai-sdk', 'a.txt')).toBe('from the SDK\n');
    const runs = async () => (await toolstream.list({ app: 'ai-sdk' })).runs.length;
    expect(await until('both runs are listed', 5_000, async () => ((await runs()) === 2 ? 2 : undefined))).toBe(2);
    await ask();
    expect(await runs()).toBe(2);
  });
});

describe.each(['openai-agent', 'anthropic-agent'])('examples/%s', (example) => {
  it('runs as it is, against a model without a mind', async () => {
    const main = join(import.meta.dirname, '..', 'examples', example, 'src', 'main.ts');
    const { ANTHROPIC_API_KEY: _a, OPENAI_API_KEY: _o, ...bare } = process.env;
    const env = { ...bare, TOOLSTREAM_URL: stack.url, TOOLSTREAM_TOKEN: await stack.token() };
    const args = ['--conditions=toolstream', '--import', import.meta.resolve('tsx'), main];
    const child = spawn(process.execPath, args, { env });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => {
      out += data;
    });
    child.stderr.on('data', (data) => {
      err += data;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      text: 'The page says: Hello from a tool.',
      runs: [expect.any(String), expect.any(String)],
    });
    expect(err).toContain('tool.succeeded.v1');
  });
});
