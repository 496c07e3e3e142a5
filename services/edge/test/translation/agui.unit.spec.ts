import { buildResumeArray, HttpAgent, type Message } from '@ag-ui/client';
import { isRunEnded, type RunState } from '@toolstream/proto-events';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { plannedTool } from '../../../../libs/domain/test/given.ts';
import { World } from '../../../../libs/domain/test/world.ts';
import { conversationOf } from '../../src/agui/conversation.ts';
import { runAgentInput } from '../../src/agui/input.ts';
import { toolView } from '../../src/translation/tool-view.ts';
import { attachEverywhere, contentOf, type Told, translator } from './agui-checks.ts';
import {
  fixtureRecording,
  framesFrom,
  lastState,
  type Recording,
  randomRecordings,
  scriptedRecordings,
  stateAt,
} from './recordings.ts';
import { messagesOf, translate } from './translate.ts';

/** What the client drops is only warned about: nothing of ours may be. */
let warnings: MockInstance[];
beforeEach(() => {
  warnings = (['warn', 'error'] as const).map((level) => vi.spyOn(console, level).mockImplementation(() => {}));
});
afterEach(() => {
  for (const warning of warnings) {
    expect(warning.mock.calls).toEqual([]);
    warning.mockRestore();
  }
});

const named = [fixtureRecording(), ...scriptedRecordings()];
const random = randomRecordings(120);

describe('A run in AG-UI’s words passes the reference client’s checks from every position on, and answers every call once', () => {
  it.each(named)('$name', attachEverywhere);
  it('random histories', async () => {
    for (const recording of random) await attachEverywhere(recording);
  });
});

/** An agent of the reference client whose server is the translator alone. */
class Conversation {
  readonly agent: HttpAgent;
  readonly ends: Told[] = [];
  frames: Iterable<Parameters<typeof translate>[1] extends Iterable<infer F> ? F : never> = [];
  since = 0;
  left = 0;

  constructor(messages: Message[]) {
    this.agent = new HttpAgent({
      url: 'http://edge/agui',
      threadId: 'thread',
      initialMessages: messages,
      fetch: (_, init) => this.#answer(init),
    });
  }

  async #answer(init?: RequestInit): Promise<Response> {
    const input = runAgentInput.parse(JSON.parse(init?.body as string));
    const { threadId, runId } = input;
    const holds = conversationOf(input.messages);
    const { body, left } = await translate(translator({ threadId, runId, holds, since: this.since }), this.frames);
    this.left = left.filter((frame) => frame.type === 'event').length;
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }

  async run(answers: Record<string, { status: 'resolved'; payload: unknown }> = {}): Promise<void> {
    const resume = buildResumeArray(this.agent.pendingInterrupts, answers);
    await this.agent.runAgent(resume.length === 0 ? {} : { resume }, {
      onRunFinishedEvent: ({ event }) => void this.ends.push(event as never),
      onRunErrorEvent: ({ event }) => void this.ends.push(event as never),
    });
  }
}

const assistant = (state: RunState): Message => ({
  id: 'assistant-1',
  role: 'assistant',
  toolCalls: state.tools.map(({ call_id: id, name, arguments: args }) => ({
    id,
    type: 'function',
    function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
  })),
});

/** Attaches at a position, and again whenever it is asked for an approval, with the conversation as it then is. */
async function converse(recording: Recording, begin: number, holdsCalls: boolean): Promise<void> {
  const first = stateAt(recording, 1);
  const final = lastState(recording);
  const user: Message = { id: 'user-1', role: 'user', content: 'Write the files.' };
  const conversation = new Conversation(holdsCalls ? [user, assistant(first)] : [user]);
  let position = begin;
  for (;;) {
    conversation.frames = framesFrom(recording, position);
    const pending = conversation.agent.pendingInterrupts;
    await conversation.run(
      Object.fromEntries(pending.map(({ id }) => [id, { status: 'resolved', payload: { approved: true } }] as const)),
    );
    if ((conversation.ends.at(-1)?.outcome as { type: string } | undefined)?.type !== 'interrupt') break;
    const asked = recording.log.length - conversation.left;
    // The next event is somebody's answer: a request with the client's own would find the run there at the earliest.
    position = Math.min(recording.log.length, Math.max(position, asked) + 1);
    conversation.since = recording.log[position - 1]!.seq;
  }
  const { messages } = conversation.agent;
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? (message.toolCalls ?? []) : []));
  expect(calls.map((call) => call.id)).toEqual(final.tools.map((tool) => tool.call_id));
  const answers = messages.filter((message) => message.role === 'tool');
  expect(answers).toHaveLength(final.tools.length);
  for (const tool of final.tools) {
    const answer = answers.find((message) => message.toolCallId === tool.call_id);
    expect(answer?.content).toBe(contentOf(final, tool.index));
    const activity = messages.find((message) => message.id === `activity:${final.run_id}:${tool.index}`);
    expect(activity).toMatchObject({ role: 'activity', activityType: 'tool_progress' });
    expect(activity?.content).toEqual(
      JSON.parse(JSON.stringify({ ...toolView(final, tool), output: tool.output ?? [] })),
    );
  }
  if (holdsCalls) expect(calls).toEqual((assistant(first) as { toolCalls: unknown }).toolCalls);
}

const ended = (recording: Recording): boolean => isRunEnded(lastState(recording).status);

describe('The reference client, attached to a run at whatever position, ends with every call answered as the run says', () => {
  for (const recording of named.filter(ended).filter(({ name }) => name !== 'the fixtures')) {
    it(recording.name, async () => {
      for (const begin of [1, 2, Math.ceil(recording.log.length / 2), recording.log.length]) {
        await converse(recording, begin, true);
        await converse(recording, begin, false);
      }
    });
  }
  it('random histories', async () => {
    for (const [at, recording] of random.slice(0, 40).entries())
      await converse(recording, 1 + ((at * 7) % recording.log.length), at % 2 === 0);
  });
});

describe('How a run ends for AG-UI', () => {
  const lastTold = async (name: string) => {
    const recording = named.find((one) => one.name === name)!;
    const { body } = await translate(translator(), framesFrom(recording, recording.log.length));
    return messagesOf(body).at(-1) as Told;
  };
  it('is a success when every call is answered, whatever the answers are', async () => {
    expect(await lastTold('a success')).toMatchObject({
      outcome: { type: 'success' },
      result: { status: 'succeeded' },
    });
    expect(await lastTold('a failure')).toMatchObject({
      outcome: { type: 'success' },
      result: { status: 'failed', error: { code: 'tools_failed' }, summary: { total: 2, failed: 1 } },
    });
  });
  it('is cancelled, without a result, when the run was', async () => {
    const told = await lastTold('a cancelled run');
    expect(told.outcome).toEqual({ type: 'cancelled' });
    expect(told).not.toHaveProperty('result');
  });
  it('is an error when the run broke, and when the stream is left early', async () => {
    expect(await lastTold('a run that takes too long')).toMatchObject({ type: 'RUN_ERROR', code: 'run_timeout' });
    expect(await lastTold('nothing but its acceptance')).toMatchObject({
      type: 'RUN_ERROR',
      code: 'unavailable',
      metadata: { toolstream: { retry_ms: 10 } },
    });
  });
});

describe('An interrupt', () => {
  it('says until when it may be answered, where it may not be answered for ever', async () => {
    const tools = [plannedTool(0, { approval_policy: 'always', approval_timeout_ms: 60_000 })];
    const world = new World({ tools });
    world.command({ type: 'advance' });
    const { body } = await translate(translator(), framesFrom({ name: 'asked', log: world.log }, world.log.length));
    const last = messagesOf(body).at(-1) as { outcome: { interrupts: { expiresAt: string }[] } };
    expect(last.outcome.interrupts[0]?.expiresAt).toBe(world.state().tools[0]?.approval?.expires_at);
    expect(last.outcome.interrupts[0]?.expiresAt).toBeDefined();
  });
});
