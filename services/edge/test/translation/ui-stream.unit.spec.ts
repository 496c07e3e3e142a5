import { callResults } from '@toolstream/domain';
import { isRunEnded } from '@toolstream/proto-events';
import { DefaultChatTransport, readUIMessageStream, type UIMessage, type UIMessageChunk } from 'ai';
import { describe, expect, it } from 'vitest';
import { toolView } from '../../src/translation/tool-view.ts';
import type { ProgressMode } from '../../src/ui-stream/tool-part.ts';
import { UiMessageTranslator } from '../../src/ui-stream/translator.ts';
import {
  fixtureRecording,
  framesFrom,
  lastState,
  type Recording,
  randomRecordings,
  scriptedRecordings,
} from './recordings.ts';
import { messagesOf, translate } from './translate.ts';

/** The SDK's own way to a stream that goes on somewhere: its transport, its parser, its list of chunks. */
async function resumed(body: string): Promise<ReadableStream<UIMessageChunk>> {
  const transport = new DefaultChatTransport({
    api: 'http://edge',
    fetch: async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
  });
  return (await transport.reconnectToStream({ chatId: 'chat' }))!;
}

async function messageOf(body: string): Promise<{ message: UIMessage | undefined; errors: string[] }> {
  const errors: string[] = [];
  let message: UIMessage | undefined;
  const onError = (error: unknown) => void errors.push(error instanceof Error ? error.message : String(error));
  for await (const update of readUIMessageStream({ stream: await resumed(body), onError })) message = update;
  return { message, errors };
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** What a part should say at the run's end: the run's own result. */
function expected(recording: Recording): unknown[] {
  const state = lastState(recording);
  return callResults(state).map(({ index, call_id: toolCallId, name: toolName, result, error, status }) => {
    const part = { type: 'dynamic-tool', toolCallId, toolName, input: plain(state.tools[index]!.arguments) };
    if (result !== undefined) return { ...part, state: 'output-available', output: result };
    if (status === 'denied') return { ...part, state: 'output-denied' };
    return { ...part, state: 'output-error', errorText: error!.message };
  });
}

async function attachEverywhere(recording: Recording, mode: ProgressMode, step = 1): Promise<void> {
  const final = lastState(recording);
  for (let events = 1; events <= recording.log.length; events += step) {
    const frames = framesFrom(recording, events, events % 3, events % 4);
    const { body } = await translate(new UiMessageTranslator(mode), frames);
    expect(body.endsWith('data: [DONE]\n\n')).toBe(true);
    const chunks = messagesOf(body) as UIMessageChunk[];
    expect(chunks[0]).toMatchObject({ type: 'start', messageId: final.message_id ?? final.run_id });
    const { message, errors } = await messageOf(body);
    if (!isRunEnded(final.status)) {
      expect(errors).toEqual(['This edge is shutting down.']);
      continue;
    }
    expect(errors).toEqual(
      final.error && final.cancel && final.cancel.cause !== 'command' ? [final.error.message] : [],
    );
    const parts = message!.parts.filter((part) => part.type === 'dynamic-tool');
    expect(parts).toHaveLength(final.tools.length);
    // An edited argument is news that comes after the part's input: the progress says it.
    const inputs = (part: object) =>
      'input' in part && recording.name.includes('other arguments') ? { ...part, input: 0 } : part;
    for (const [index, part] of expected(recording).entries())
      expect(inputs(parts[index]!)).toMatchObject(inputs(part as object));
    expect(message!.metadata).toMatchObject({ toolstream: { run: final.run_id, status: final.status } });
    const progress = message!.parts.filter((part) => part.type === 'data-tool-progress');
    if (mode === 'preliminary') expect(progress).toEqual([]);
    else expect(progress.map((part) => part.data)).toEqual(final.tools.map((tool) => plain(toolView(final, tool))));
    if (mode === 'data')
      expect(message!.parts.map(({ type }) => type)).toEqual(
        final.tools.flatMap(() => ['dynamic-tool', 'data-tool-progress']),
      );
  }
}

const named = [fixtureRecording(), ...scriptedRecordings()];
const random = randomRecordings(40);

describe('A run as a UI message stream: the AI SDK builds the run’s results from it, from every position on', () => {
  it.each(named)('$name', (recording) => attachEverywhere(recording, 'data'));
  it('random histories', async () => {
    for (const recording of random) await attachEverywhere(recording, 'data', 5);
  });
});

describe('With preliminary outputs for progress', () => {
  it.each(named)('$name', (recording) => attachEverywhere(recording, 'preliminary', 3));

  it('a call that runs shows its progress as its output, until it has one', async () => {
    const recording = named.find(({ name }) => name === 'a success')!;
    const { body } = await translate(new UiMessageTranslator('preliminary'), framesFrom(recording, 1));
    const outputs = (messagesOf(body) as UIMessageChunk[]).filter(
      (chunk) => chunk.type === 'tool-output-available' && chunk.toolCallId === 'call_0',
    ) as { preliminary?: boolean; output: unknown }[];
    expect(outputs.length).toBeGreaterThan(2);
    expect(outputs.map(({ preliminary }) => preliminary)).toEqual([...outputs.slice(1).map(() => true), undefined]);
  });
});

describe('An approval', () => {
  const chunksOf = async (name: string, events: number) => {
    const recording = named.find((one) => one.name === name)!;
    const { body } = await translate(new UiMessageTranslator('data'), framesFrom(recording, events));
    return { body, types: (messagesOf(body) as UIMessageChunk[]).map(({ type }) => type) };
  };
  it('is asked for and answered in the part it is about, also for who comes later', async () => {
    for (const events of [1, 100]) {
      const recording = named.find(({ name }) => name === 'a denial')!;
      const { body, types } = await chunksOf('a denial', Math.min(events, recording.log.length));
      const of = types.filter((type) => type.startsWith('tool-approval') || type === 'tool-output-denied');
      expect(of).toEqual(['tool-approval-request', 'tool-approval-response', 'tool-output-denied']);
      const { message } = await messageOf(body);
      const [part] = message!.parts.filter((p) => p.type === 'dynamic-tool');
      expect(part).toMatchObject({ state: 'output-denied', approval: { approved: false } });
    }
  });
});

describe('A cancelled run', () => {
  it('is an abort', async () => {
    const recording = named.find(({ name }) => name === 'a cancelled run')!;
    const { body } = await translate(new UiMessageTranslator('data'), framesFrom(recording, 1));
    expect(messagesOf(body).at(-1)).toMatchObject({ type: 'abort' });
  });
});
