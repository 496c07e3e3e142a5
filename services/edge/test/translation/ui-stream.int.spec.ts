import { fileURLToPath } from 'node:url';
import type { AcceptedRun } from '@toolstream/proto-events';
import { DefaultChatTransport, readUIMessageStream, type UIMessage, type UIMessageChunk } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestEdge, token, uniqueName, until } from '../harness.ts';
import { startTestStack, type TestStack } from '../stack.ts';

/** The AI SDK's transport and reader against GET /v1/runs/:id/ui-stream, with everything behind it. */
let stack: TestStack;
let edge: TestEdge;
beforeAll(async () => {
  stack = await startTestStack(fileURLToPath(new URL('./tools.ts', import.meta.url)));
  edge = await stack.startEdge();
});
afterAll(async () => {
  await edge.stop();
  await stack.stop();
});

const call = (id: string, name: string, args: object = {}) => ({ id, name, arguments: args });
const submit = async (tool_calls: object[], more: object = {}): Promise<AcceptedRun> => {
  const body = JSON.stringify({ app: uniqueName('app'), tool_calls, ...more });
  return (await (await edge.fetch('/v1/runs', { method: 'POST', body })).json()) as AcceptedRun;
};
const resume = (run: string, query = '', at = edge) =>
  new DefaultChatTransport({
    headers: { authorization: `Bearer ${token()}` },
    prepareReconnectToStreamRequest: ({ id }) => ({ api: `${at.url}/v1/runs/${id}/ui-stream${query}` }),
  }).reconnectToStream({ chatId: run });

class Reader {
  message: UIMessage | undefined;
  readonly chunks: UIMessageChunk[] = [];
  readonly errors: string[] = [];
  done: Promise<void>;

  constructor(stream: ReadableStream<UIMessageChunk>) {
    const seen = new TransformStream<UIMessageChunk, UIMessageChunk>({
      transform: (chunk, controller) => {
        this.chunks.push(chunk);
        controller.enqueue(chunk);
      },
    });
    this.done = this.#read(stream.pipeThrough(seen));
  }

  async #read(stream: ReadableStream<UIMessageChunk>): Promise<void> {
    const onError = (error: unknown) => void this.errors.push((error as Error).message);
    for await (const message of readUIMessageStream({ stream, onError })) this.message = message;
  }

  tool(id: string): object | undefined {
    return this.message?.parts.find((part) => part.type === 'dynamic-tool' && part.toolCallId === id);
  }
}
const read = async (run: string, query?: string, at?: TestEdge) => new Reader((await resume(run, query, at))!);

describe('a run', () => {
  it('is one message of the AI SDK, live and afterwards, with the results that the run has', async () => {
    const message_id = uniqueName('msg');
    const calls = [
      call('a', 'steps', { steps: 30, ms: 5 }),
      call('b', 'broken'),
      call('c', 'nobody'),
      call('d', 'large', { bytes: 50_000 }),
      call('e', 'os-write', { file_path: 'large.txt', content: 'x'.repeat(50_000) }),
    ];
    const { run_id } = await submit(calls, { message_id });
    const live = await read(run_id);
    await live.done;
    const late = await read(run_id);
    await late.done;
    for (const reader of [live, late]) {
      expect(reader.errors).toEqual([]);
      expect(reader.message).toMatchObject({
        id: message_id,
        role: 'assistant',
        metadata: { toolstream: { run: run_id, status: 'failed' } },
      });
      expect(reader.tool('a')).toMatchObject({ state: 'output-available', output: { steps: 30 } });
      expect(reader.tool('b')).toMatchObject({ state: 'output-error', errorText: 'The disk is full.' });
      expect(reader.tool('c')).toMatchObject({ toolName: 'nobody', state: 'output-error' });
      expect(reader.tool('d')).toMatchObject({ output: { text: 'x'.repeat(50_000) } });
      expect(reader.tool('e')).toMatchObject({ state: 'output-available', input: { content: 'x'.repeat(50_000) } });
      expect(reader.chunks.at(-1)).toMatchObject({ type: 'finish', finishReason: 'tool-calls' });
    }
    expect(late.message).toEqual(live.message);
    const progress = live.chunks.filter((chunk) => chunk.type === 'data-tool-progress' && chunk.id === 'a');
    expect(progress.length).toBeGreaterThan(3);
    expect(live.chunks).toContainEqual({
      type: 'data-tool-output',
      data: { toolCallId: 'd', channel: 'stdout', text: 'about to answer\n' },
      transient: true,
    });
  });

  it('is sent in the headers and words that the SDK expects', async () => {
    const { run_id } = await submit([call('a', 'noop')]);
    const response = await edge.fetch(`/v1/runs/${run_id}/ui-stream`);
    expect(response.headers.get('x-vercel-ai-ui-message-stream')).toBe('v1');
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const body = await response.text();
    expect(body.endsWith('\n\ndata: [DONE]\n\n')).toBe(true);
    expect(body).not.toContain('\r');
  });

  it('that has ended is nothing to resume, where the caller wants it so', async () => {
    const { run_id } = await submit([call('a', 'noop')]);
    await (await read(run_id)).done;
    expect(await resume(run_id, '?ended=none')).toBeNull();
    const { run_id: running } = await submit([call('a', 'steps', { steps: 3, ms: 20 })]);
    const reader = await read(running, '?ended=none&progress=preliminary');
    await reader.done;
    expect(reader.tool('a')).toMatchObject({ state: 'output-available', output: { steps: 3 } });
    expect(reader.chunks.some((chunk) => chunk.type === 'tool-output-available' && chunk.preliminary)).toBe(true);
    expect(reader.chunks.some((chunk) => chunk.type.startsWith('data-tool-progress'))).toBe(false);
  });

  it('goes on over an approval, and is aborted by a cancel', async () => {
    const { run_id } = await submit([call('a', 'guarded', { text: 'a' }), call('b', 'steps', { steps: 500, ms: 10 })]);
    const reader = await read(run_id);
    await until(() => (reader.tool('a') as { state?: string } | undefined)?.state === 'approval-requested');
    const edited = JSON.stringify({ arguments: { text: 'b' }, reason: 'better' });
    await edge.fetch(`/v1/runs/${run_id}/tools/0/approve`, { method: 'POST', body: edited });
    await until(() => (reader.tool('a') as { state?: string }).state === 'output-available');
    expect(reader.tool('a')).toMatchObject({
      input: { text: 'b' },
      output: { said: 'b' },
      approval: { approved: true, reason: 'better', requestReason: 'policy' },
    });
    await edge.fetch(`/v1/runs/${run_id}/cancel`, { method: 'POST', body: JSON.stringify({ reason: 'enough' }) });
    await reader.done;
    expect(reader.chunks.at(-1)).toEqual({ type: 'abort', reason: 'enough' });
    expect(reader.tool('b')).toMatchObject({ state: 'output-error' });
  });

  it('of another tenant is not found', async () => {
    const { run_id } = await submit([call('a', 'noop')]);
    const response = await edge.fetch(`/v1/runs/${run_id}/ui-stream`, { token: token({ tenant: 't2' }) });
    expect(response.status).toBe(404);
    expect((await edge.fetch(`/v1/runs/${run_id}/ui-stream?progress=what`)).status).toBe(422);
  });
});

describe('an edge that shuts down', () => {
  it('says so in the stream, and another edge has the whole message', async () => {
    const leaving = await stack.startEdge({ TOOLSTREAM_DRAIN_SPREAD_MS: '100' });
    const { run_id } = await submit([call('a', 'steps', { steps: 80, ms: 10 })]);
    const reader = await read(run_id, '', leaving);
    await until(() => reader.tool('a') !== undefined);
    await leaving.stop();
    await reader.done;
    expect(reader.errors).toEqual(['This edge is shutting down: connect again.']);
    const back = await read(run_id);
    await back.done;
    expect(back.tool('a')).toMatchObject({ state: 'output-available', output: { steps: 80 } });
  });
});
