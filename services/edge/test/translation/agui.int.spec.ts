import { fileURLToPath } from 'node:url';
import { type BaseEvent, buildResumeArray, HttpAgent, type Message, type RunAgentParameters } from '@ag-ui/client';
import type { Recorded } from '@toolstream/domain';
import { type AcceptedRun, eventStreamSubjects, type RunSnapshot } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestEdge, token, uniqueName, until } from '../harness.ts';
import { startTestStack, type TestStack } from '../stack.ts';
import { attachEverywhere as passesAguiChecks } from './agui-checks.ts';
import { attachEverywhere as passesUiStreamChecks } from './ui-stream-checks.ts';

/** The unmodified client of AG-UI against POST /agui, with everything behind it. */
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

type Told = BaseEvent & Record<string, unknown>;
interface Asked {
  readonly id: string;
  readonly name: string;
  readonly args: object;
}

const turn = (calls: readonly Asked[], id = uniqueName('msg')): Message[] => [
  { id: `user-${id}`, role: 'user', content: 'Go.' },
  {
    id,
    role: 'assistant',
    toolCalls: calls.map((call) => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: JSON.stringify(call.args) },
    })),
  },
];
const steps = (id: string, count: number, ms: number): Asked => ({ id, name: 'steps', args: { steps: count, ms } });

class Agent {
  readonly http: HttpAgent;
  readonly told: Told[] = [];

  constructor(messages: Message[], options: { threadId?: string; bearer?: string; at?: TestEdge } = {}) {
    const { threadId = uniqueName('thread'), bearer = token(), at = edge } = options;
    const headers = { authorization: `Bearer ${bearer}` };
    this.http = new HttpAgent({ url: `${at.url}/agui`, headers, threadId, initialMessages: messages });
  }

  /** Everything that this one request was told. */
  async run(parameters: RunAgentParameters & { abortController?: AbortController } = {}): Promise<Told[]> {
    const from = this.told.length;
    await this.http.runAgent(parameters, { onEvent: ({ event }) => void this.told.push(event as Told) });
    return this.told.slice(from);
  }

  answer(id: string): unknown {
    return this.http.messages.find((message) => message.role === 'tool' && message.toolCallId === id)?.content;
  }
}

const runOf = (told: readonly Told[]): string =>
  told.map(({ metadata }) => (metadata as { toolstream?: { run?: string } })?.toolstream?.run).find((run) => run)!;
const post = (body: object, init: { bearer?: string; headers?: Record<string, string> } = {}) =>
  edge.fetch('/agui', {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { accept: 'text/event-stream', ...init.headers },
    ...(init.bearer === undefined ? {} : { token: init.bearer }),
  });
const input = (messages: Message[], more: object = {}) => ({
  threadId: uniqueName('thread'),
  runId: uniqueName('run'),
  messages,
  tools: [],
  context: [],
  state: {},
  forwardedProps: {},
  ...more,
});
const read = async <T>(path: string) => (await (await edge.fetch(path)).json()) as T;
const contents = async (run: string) => {
  const { messages } = await read<{ messages: { tool_call_id: string; content: string }[] }>(`/v1/runs/${run}/results`);
  return messages.map(({ tool_call_id, content }) => [tool_call_id, content]);
};
const runs = async (app: string) => (await read<{ runs: { run_id: string }[] }>(`/v1/runs?app=${app}`)).runs;

describe('a turn of tool calls', () => {
  it('is run, shown while it runs, and answered as /results says', async () => {
    const calls = [
      steps('a', 5, 60),
      { id: 'b', name: 'broken', args: {} },
      { id: 'c', name: 'nobody', args: {} },
      { id: 'd', name: 'large', args: { bytes: 50_000 } },
    ];
    const messages = turn(calls);
    const agent = new Agent(messages);
    const told = await agent.run();
    expect(told[0]).toMatchObject({ type: 'RUN_STARTED', threadId: agent.http.threadId });
    expect(told.at(-1)).toMatchObject({
      type: 'RUN_FINISHED',
      outcome: { type: 'success' },
      result: { status: 'failed' },
    });
    // The client has the calls: telling them again would double their arguments.
    expect(told.some(({ type }) => type === 'TOOL_CALL_ARGS')).toBe(false);
    const run = runOf(told);
    expect(calls.map(({ id }) => [id, agent.answer(id)])).toEqual(await contents(run));
    expect(agent.answer('d')).toHaveLength(50_000 + '{"text":""}'.length);
    const result = told.find(({ type, toolCallId }) => type === 'TOOL_CALL_RESULT' && toolCallId === 'b');
    expect(result?.metadata).toMatchObject({ toolstream: { isError: true, code: 'disk_full', status: 'failed' } });
    const activity = agent.http.messages.find(({ id }) => id === `activity:${run}:0`);
    expect(activity).toMatchObject({ role: 'activity', content: { status: 'succeeded', progress: 100 } });
    const { app, message_id } = await read<RunSnapshot>(`/v1/runs/${run}`);
    expect({ app, message_id }).toEqual({ app: agent.http.threadId, message_id: messages[1]!.id });
    const patched = told.filter(({ type }) => type === 'ACTIVITY_DELTA');
    expect(patched.length).toBeGreaterThan(0);
  });

  it('is run once: the same request again attaches, before its end and after it, at any edge', async () => {
    const other = await stack.startEdge();
    const messages = turn([steps('a', 40, 10), { id: 'b', name: 'noop', args: {} }]);
    const threadId = uniqueName('thread');
    const runId = uniqueName('run');
    const agents = [new Agent(messages, { threadId }), new Agent(messages, { threadId, at: other })];
    const told = await Promise.all(agents.map((agent) => agent.run({ runId })));
    const after = await agents[1]!.run({ runId });
    const run = runOf(told[0]!);
    expect([told[1]!, after].map(runOf)).toEqual([run, run]);
    expect(await runs(threadId)).toHaveLength(1);
    for (const agent of agents)
      expect([agent.answer('a'), agent.answer('b')]).toEqual([JSON.stringify({ steps: 40 }), 'null']);
    // What the client holds already is not told again.
    expect(after.filter(({ type }) => type === 'TOOL_CALL_RESULT')).toEqual([]);
    const stranger = new Agent([], { threadId, at: other });
    await stranger.run({ runId });
    expect(stranger.http.messages.filter(({ role }) => role === 'assistant')).toMatchObject([
      { id: messages[1]!.id, toolCalls: (messages[1] as { toolCalls: unknown }).toolCalls },
    ]);
    expect(stranger.answer('a')).toBe(JSON.stringify({ steps: 40 }));
    await other.stop();
  });

  it('goes on when the client leaves', async () => {
    const agent = new Agent(turn([steps('a', 60, 10)]));
    const runId = uniqueName('run');
    const abortController = new AbortController();
    const left = agent.run({ runId, abortController });
    await until(() => agent.told.some(({ type }) => type === 'ACTIVITY_DELTA'));
    abortController.abort();
    await left;
    expect(agent.answer('a')).toBeUndefined();
    const back = await agent.run({ runId });
    expect(back.at(-1)).toMatchObject({ type: 'RUN_FINISHED', outcome: { type: 'success' } });
    expect(agent.answer('a')).toBe(JSON.stringify({ steps: 60 }));
    expect((await runs(agent.http.threadId)).length).toBe(1);
  });

  it('may be continued under a runId of its own that names its parent', async () => {
    const agent = new Agent(turn([steps('a', 1, 1)]));
    const first = await agent.run({ runId: 'first' });
    const again = new Agent(turn([steps('a', 1, 1)]), { threadId: agent.http.threadId });
    const response = await post(
      input(again.http.messages, { threadId: agent.http.threadId, runId: 'second', parentRunId: 'first' }),
    );
    expect(await response.text()).toContain(`"run":"${runOf(first)}"`);
    expect(await runs(agent.http.threadId)).toHaveLength(1);
  });

  it('is run in another app, in parallel, where the caller says so', async () => {
    const app = uniqueName('app');
    const agent = new Agent(turn([steps('a', 1, 1), steps('b', 1, 1)]), { threadId: 'a thread: any text' });
    const told = await agent.run({ forwardedProps: { toolstream: { app, mode: 'parallel', priority: 'high' } } });
    const { ordering, priority } = await read<RunSnapshot>(`/v1/runs/${runOf(told)}`);
    expect([ordering, priority]).toEqual(['parallel', 'high']);
    expect(await runs(app)).toHaveLength(1);
  });

  it('is watched by whoever names the run, however it was submitted', async () => {
    const body = { app: uniqueName('app'), tool_calls: [{ id: 'x', name: 'noop', arguments: {} }] };
    const submitted = await edge.fetch('/v1/runs', { method: 'POST', body: JSON.stringify(body) });
    const { run_id } = (await submitted.json()) as AcceptedRun;
    const agent = new Agent([]);
    await agent.run({ forwardedProps: { toolstream: { run: run_id } } });
    expect(agent.answer('x')).toBe('null');
  });

  it('leaves to the caller what only the caller’s tools can do', async () => {
    const tools = ['pick-colour', 'noop'].map((name) => ({ name, description: name, parameters: {} }));
    const agent = new Agent(
      turn([
        { id: 'mine', name: 'pick-colour', args: {} },
        { id: 'yours', name: 'noop', args: {} },
      ]),
    );
    const told = await agent.run({ tools });
    expect(told.at(-1)).toMatchObject({ outcome: { type: 'success', pendingToolCallIds: ['mine'] } });
    expect((await contents(runOf(told))).map(([id]) => id)).toEqual(['yours']);
    const again = await agent.run({ tools });
    expect(again.map(({ type }) => type)).toEqual(['RUN_STARTED', 'RUN_FINISHED']);
    expect(again.at(-1)).toMatchObject({ outcome: { type: 'success', pendingToolCallIds: ['mine'] } });
  });

  it('that is cancelled ends as cancelled, and a pause is shown', async () => {
    const agent = new Agent(turn([steps('a', 500, 10)]));
    const told = agent.run();
    await until(() => agent.told.some(({ type }) => type === 'ACTIVITY_DELTA'));
    const run = runOf(agent.told);
    await edge.fetch(`/v1/runs/${run}/pause`, { method: 'POST' });
    const shown = () => agent.told.flatMap((event) => (event.type === 'ACTIVITY_SNAPSHOT' ? [event.content] : []));
    await until(() => shown().some((content) => (content as { status: string }).status === 'paused'));
    await edge.fetch(`/v1/runs/${run}/cancel`, { method: 'POST' });
    expect((await told).at(-1)).toMatchObject({ type: 'RUN_FINISHED', outcome: { type: 'cancelled' } });
  });
});

describe('an approval', () => {
  const guarded = (id: string): Asked => ({ id, name: 'guarded', args: { text: id } });

  it('ends the stream as an interrupt, and the answer goes on with the same run', async () => {
    const agent = new Agent(turn([guarded('a'), guarded('b'), steps('c', 2, 1)]));
    const first = await agent.run();
    expect(first.at(-1)).toMatchObject({
      outcome: { type: 'interrupt', interrupts: [{ toolCallId: 'a', reason: 'tool_call' }] },
    });
    const [asked] = agent.http.pendingInterrupts;
    const payload = { approved: true, editedArgs: { text: 'something else' } };
    const second = await agent.run({
      resume: buildResumeArray(agent.http.pendingInterrupts, { [asked!.id]: { status: 'resolved', payload } }),
    });
    expect(runOf(second)).toBe(runOf(first));
    expect(agent.answer('a')).toBe(JSON.stringify({ said: 'something else' }));
    expect(agent.http.pendingInterrupts).toMatchObject([{ toolCallId: 'b' }]);
    const [next] = agent.http.pendingInterrupts;
    const third = await agent.run({
      resume: buildResumeArray([next!], {
        [next!.id]: { status: 'resolved', payload: { approved: false, reason: 'not b' } },
      }),
    });
    expect(third.at(-1)).toMatchObject({ outcome: { type: 'success' }, result: { status: 'failed' } });
    expect(['a', 'b', 'c'].map((id) => [id, agent.answer(id)])).toEqual(await contents(runOf(first)));
    expect(agent.answer('b')).toContain('not b');
  });

  it('holds the stream open while other calls run', async () => {
    const agent = new Agent(turn([guarded('a'), steps('b', 20, 5)]));
    const told = await agent.run({ forwardedProps: { toolstream: { mode: 'parallel' } } });
    expect(told.at(-1)).toMatchObject({ outcome: { type: 'interrupt', interrupts: [{ toolCallId: 'a' }] } });
    expect(agent.answer('b')).toBe(JSON.stringify({ steps: 20 }));
  });

  it('is given once: the same answer repeated finds it given, one for something else is ignored and said so', async () => {
    const agent = new Agent(turn([guarded('a')]));
    const first = await agent.run();
    const [asked] = agent.http.pendingInterrupts;
    const resume = [
      { interruptId: asked!.id, status: 'resolved' as const, payload: { approved: true } },
      { interruptId: 'of another agent', status: 'cancelled' as const },
    ];
    const request = input(agent.http.messages, { threadId: agent.http.threadId, resume });
    for (let times = 0; times < 2; times++) {
      const answer = await (await post(request)).text();
      expect(answer).toContain(JSON.stringify(JSON.stringify({ said: 'a' })));
      expect(answer).toContain('"ignored_resume":["of another agent"');
      expect(answer).toContain(`"run":"${runOf(first)}"`);
    }
    expect(await runs(agent.http.threadId)).toHaveLength(1);
  });

  it('dismissed, is a denial', async () => {
    const agent = new Agent(turn([guarded('a')]));
    await agent.run();
    const [asked] = agent.http.pendingInterrupts;
    await agent.run({ resume: [{ interruptId: asked!.id, status: 'cancelled' }] });
    expect(JSON.parse(agent.answer('a') as string)).toMatchObject({ error: { code: 'denied' } });
  });
});

describe('a request is refused before the stream', () => {
  const refused = async (response: Response, status: number, words: string) => {
    const problem = (await response.json()) as { detail: string; code: string };
    expect([response.status, problem.detail]).toEqual([status, expect.stringContaining(words)]);
  };
  it('where there is nothing to run, or no app', async () => {
    await refused(await post(input([])), 422, 'no tool call without a result');
    await refused(await post(input(turn([]), {})), 422, 'no tool call without a result');
    await refused(await post(input(turn([steps('a', 1, 1)]), { threadId: 'no token' })), 422, 'toolstream.app');
    await refused(await post({}), 422, 'threadId');
    const payload = {
      threadId: 't',
      resume: [{ interruptId: `0-${'0'.repeat(26)}:0:1`, status: 'resolved', payload: 1 }],
    };
    await refused(await post(input([], payload)), 422, 'payload');
    await refused(
      await post(input(turn([steps('a', 1, 1)])), { headers: { accept: 'application/json' } }),
      400,
      'Accept',
    );
  });

  it('where the token does not allow it', async () => {
    const bearer = token({ scope: 'runs:read' });
    const messages = turn([{ id: 'a', name: 'guarded', args: { text: 'a' } }]);
    await refused(await post(input(messages), { bearer }), 403, 'runs:write');
    const agent = new Agent(messages);
    const told = await agent.run({ runId: 'r' });
    const again = await post(input(messages, { threadId: agent.http.threadId, runId: 'r' }), { bearer });
    expect(await again.text()).toContain(`"run":"${runOf(told)}"`);
    const resume = [
      { interruptId: agent.http.pendingInterrupts[0]!.id, status: 'resolved', payload: { approved: true } },
    ];
    await refused(await post(input(messages, { resume }), { bearer }), 403, 'runs:control');
    const foreign = token({ tenant: 't2' });
    await refused(await post(input(messages, { resume }), { bearer: foreign }), 404, 'no such run');
    await refused(
      await post(input(messages, { threadId: 'app-x' }), { bearer: token({ apps: ['app-y'] }) }),
      403,
      'app-x',
    );
  });
});

describe('an edge that shuts down', () => {
  it('ends the stream with an error that says when to come back, and another edge goes on', async () => {
    const leaving = await stack.startEdge({ TOOLSTREAM_DRAIN_SPREAD_MS: '100' });
    const threadId = uniqueName('thread');
    const messages = turn([steps('a', 60, 10)]);
    const agent = new Agent(messages, { threadId, at: leaving });
    const told = agent.run({ runId: 'r' });
    await until(() => agent.told.some(({ type }) => type === 'ACTIVITY_DELTA'));
    await leaving.stop();
    expect((await told).at(-1)).toMatchObject({
      type: 'RUN_ERROR',
      code: 'unavailable',
      metadata: { toolstream: { retry_ms: expect.any(Number) } },
    });
    const back = new Agent(agent.http.messages, { threadId });
    await back.run({ runId: 'r' });
    expect(back.answer('a')).toBe(JSON.stringify({ steps: 60 }));
  });
});

describe('every run of this file, as the log has it', () => {
  it('passes the checks of both protocols’ clients from every position on', async () => {
    const { log } = stack.store;
    const recordings = new Map<string, Recorded[]>();
    for (let partition = 0; partition < log.partitions; partition++) {
      for await (const stored of log.read(eventStreamSubjects(partition), { partition, from: 1 })) {
        const { run } = stored.address();
        recordings.set(run, [...(recordings.get(run) ?? []), { event: stored.event(), seq: stored.seq }]);
      }
    }
    expect(recordings.size).toBeGreaterThan(10);
    for (const [name, events] of recordings) {
      await passesAguiChecks({ name, log: events });
      await passesUiStreamChecks({ name, log: events }, 'data', 7);
    }
  });
});
