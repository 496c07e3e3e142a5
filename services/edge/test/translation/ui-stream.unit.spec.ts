import type { UIMessageChunk } from 'ai';
import { describe, expect, it } from 'vitest';
import { UiMessageTranslator } from '../../src/ui-stream/translator.ts';
import { fixtureRecording, framesFrom, randomRecordings, scriptedRecordings } from './recordings.ts';
import { messagesOf, translate } from './translate.ts';
import { attachEverywhere, messageOf } from './ui-stream-checks.ts';

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
