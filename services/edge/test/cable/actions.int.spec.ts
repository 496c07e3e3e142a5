import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type TestEdge, token, uniqueName, until } from '../harness.ts';
import { startTestStack, type TestStack } from '../stack.ts';
import { type Message, shown } from './page-model.ts';
import { rails, watchWithRails } from './stock-clients.ts';

let stack: TestStack;
let t: TestEdge;
const open: { disconnect(): void }[] = [];
beforeAll(async () => {
  stack = await startTestStack();
  t = await stack.startEdge({ TOOLSTREAM_DRAIN_MS: '0' });
});
afterAll(async () => {
  await t?.stop();
  await stack?.stop();
});
afterEach(() => {
  for (const consumer of open.splice(0)) consumer.disconnect();
});

function consumer(claims: Record<string, unknown> = {}) {
  const made = rails(`${t.url.replace('http', 'ws')}/cable?jid=${token(claims)}`);
  open.push(made);
  return made;
}
const step = (id: string, steps: number, ms: number) => ({ id, name: 'steps', arguments: { steps, ms } });
async function submit(body: object): Promise<string> {
  const answer = await t.fetch('/v1/runs', { method: 'POST', body: JSON.stringify({ app: 'shop', ...body }) });
  return ((await answer.json()) as { run_id: string }).run_id;
}
const actions = (messages: readonly Message[]) => messages.map(({ action }) => action);
const has = (messages: readonly Message[], action: string) => actions(messages).includes(action);

describe('A page of the document', () => {
  it('subscribes by message before there is a run, then pauses, resumes and cancels it', async () => {
    const message = uniqueName('m');
    const page = watchWithRails(consumer(), { message_id: message });
    await until(() => page.connected.length === 1);
    await submit({ message_id: message, tool_calls: [step('a', 200, 20), step('b', 1, 1)] });
    await until(() => has(page.messages, 'tool_progress_update'));
    page.subscription.perform('pause_tool_execution');
    await until(() => has(page.messages, 'execution_paused'));
    page.subscription.perform('resume_tool_execution');
    await until(() => has(page.messages, 'execution_resumed'));
    page.subscription.perform('cancel_tool_execution', { reason: 'seen enough' });
    await until(() => has(page.messages, 'tool_execution_complete'));
    const of = (action: string) => page.messages.find((sent) => sent.action === action);
    expect(of('execution_cancelled')).toMatchObject({
      message: 'Tool execution cancelled by user',
      reason: 'seen enough',
    });
    expect(of('tool_execution_complete')).toMatchObject({ status: 'cancelled', total_tools: 2, successful: 0 });
    expect(shown(page.messages)).toMatchObject({ lists: 1, completed: 2 });
  });

  it('asks for the details of a call', async () => {
    const run_id = await submit({ tool_calls: [step('a', 2, 1)] });
    const page = watchWithRails(consumer(), { run_id });
    await until(() => has(page.messages, 'tool_execution_complete'));
    page.subscription.perform('request_tool_details', { tool_index: 0 });
    await until(() => has(page.messages, 'tool_details'));
    expect(page.messages.at(-1)).toMatchObject({
      tool_index: 0,
      tool_name: 'steps',
      call_id: 'a',
      status: 'succeeded',
      arguments: { steps: 2, ms: 1 },
      result: { steps: 2 },
      progress: 100,
      execution_time: expect.any(Number),
      run_id,
    });
    page.subscription.perform('request_tool_details', { tool_index: 9 });
    await until(() => has(page.messages, 'action_refused'));
    expect(page.messages.at(-1)).toMatchObject({ name: 'request_tool_details', code: 'not_found' });
  });

  it('commands a run of an app by its id', async () => {
    const page = watchWithRails(consumer(), { app_id: 'shop' });
    await until(() => page.connected.length === 1);
    const run_id = await submit({ tool_calls: [step('a', 200, 20)] });
    await until(() => page.messages.some((sent) => sent.run_id === run_id));
    page.subscription.perform('cancel_tool_execution');
    await until(() => has(page.messages, 'action_refused'));
    page.subscription.perform('cancel_tool_execution', { run_id });
    await until(() =>
      page.messages.some((sent) => sent.run_id === run_id && sent.action === 'tool_execution_complete'),
    );
  });

  it('is refused what its token does not allow, what is over, and what there is not', async () => {
    const run_id = await submit({ tool_calls: [step('a', 1, 1)] });
    const reader = watchWithRails(consumer({ scope: 'runs:read' }), { run_id });
    await until(() => has(reader.messages, 'tool_execution_complete'));
    reader.subscription.perform('pause_tool_execution');
    await until(() => reader.messages.at(-1)?.code === 'forbidden');
    const page = watchWithRails(consumer(), { run_id });
    await until(() => has(page.messages, 'tool_execution_complete'));
    page.subscription.perform('pause_tool_execution');
    await until(() => page.messages.at(-1)?.code === 'run_ended');
    page.subscription.perform('do_something_else');
    await until(() => page.messages.at(-1)?.code === 'bad_request');
    const early = watchWithRails(consumer(), { message_id: uniqueName('m') });
    await until(() => early.messages.length === 1);
    early.subscription.perform('cancel_tool_execution');
    await until(() => early.messages.at(-1)?.code === 'not_found');
  });
});
