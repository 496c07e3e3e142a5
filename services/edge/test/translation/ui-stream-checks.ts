import { callResults } from '@toolstream/domain';
import { isRunEnded } from '@toolstream/proto-events';
import { DefaultChatTransport, readUIMessageStream, type UIMessage, type UIMessageChunk } from 'ai';
import { expect } from 'vitest';
import { toolView } from '../../src/translation/tool-view.ts';
import type { ProgressMode } from '../../src/ui-stream/tool-part.ts';
import { UiMessageTranslator } from '../../src/ui-stream/translator.ts';
import { framesFrom, lastState, type Recording } from './recordings.ts';
import { messagesOf, translate } from './translate.ts';

/** The SDK's own way to a stream that goes on somewhere: its transport, its parser, its list of chunks. */
async function resumed(body: string): Promise<ReadableStream<UIMessageChunk>> {
  const transport = new DefaultChatTransport({
    api: 'http://edge',
    fetch: async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
  });
  return (await transport.reconnectToStream({ chatId: 'chat' }))!;
}

export async function messageOf(body: string): Promise<{ message: UIMessage | undefined; errors: string[] }> {
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

/** From every position of a recording: the SDK's client builds the run's results. */
export async function attachEverywhere(recording: Recording, mode: ProgressMode, step = 1): Promise<void> {
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
    for (const [index, part] of expected(recording).entries()) expect(parts[index]).toMatchObject(part as object);
    expect(message!.metadata).toMatchObject({ toolstream: { run: final.run_id, status: final.status } });
    const progress = message!.parts.filter((part) => part.type === 'data-tool-progress');
    if (mode === 'preliminary') expect(progress).toEqual([]);
    else
      expect(progress.map((part) => (part as { data?: unknown }).data)).toEqual(
        final.tools.map((tool) => plain(toolView(final, tool))),
      );
    if (mode === 'data')
      expect(message!.parts.map(({ type }) => type)).toEqual(
        final.tools.flatMap(() => ['dynamic-tool', 'data-tool-progress']),
      );
  }
}
