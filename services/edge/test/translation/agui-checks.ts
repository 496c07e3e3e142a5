import { type BaseEvent, enforceEvents, verifyEvents } from '@ag-ui/client';
import { awaitedApprovals, callResults, toMessages } from '@toolstream/domain';
import { isRunEnded, type RunState } from '@toolstream/proto-events';
import { from, lastValueFrom, toArray } from 'rxjs';
import { expect } from 'vitest';
import { type AguiStream, AguiTranslator } from '../../src/agui/translator.ts';
import { cursorOf, framesFrom, lastState, type Recording, stateAt } from './recordings.ts';
import { messagesOf, translate } from './translate.ts';

export type Told = BaseEvent & Record<string, unknown>;
const NOTHING = { calls: new Set<string>(), results: new Set<string>() };
export const translator = (over: Partial<AguiStream> = {}) =>
  new AguiTranslator({ threadId: 'thread', runId: 'run', holds: NOTHING, pending: [], since: 0, ignored: [], ...over });

/** The reference client's own checks of a stream: its schemas, then its grammar. */
export const verified = (events: Told[]): Promise<BaseEvent[]> =>
  lastValueFrom(from(events).pipe(enforceEvents(false), verifyEvents(false), toArray()));

export const contentOf = (state: RunState, index: number): string =>
  (toMessages([callResults(state)[index]!], 'openai')[0] as { content: string }).content;

/** From every position of a recording: the client's checks pass, and every call is answered once, as the run says. */
export async function attachEverywhere(recording: Recording): Promise<void> {
  const final = lastState(recording);
  for (let events = 1; events <= recording.log.length; events++) {
    const { body } = await translate(translator(), framesFrom(recording, events, events % 3, events % 4));
    const told = messagesOf(body) as Told[];
    expect(await verified(told)).toHaveLength(told.length);
    expect(told[0]?.type).toBe('RUN_STARTED');
    const last = told.at(-1)!;
    expect(told.filter(({ type }) => type === 'RUN_FINISHED' || type === 'RUN_ERROR')).toEqual([last]);
    const results = told.filter(({ type }) => type === 'TOOL_CALL_RESULT');
    expect(new Set(results.map(({ toolCallId }) => toolCallId)).size).toBe(results.length);
    for (const { toolCallId, content } of results) {
      const tool = final.tools.find((t) => t.call_id === toolCallId)!;
      expect(content).toBe(contentOf(final, tool.index));
    }
    const outcome = last.outcome as { type: string; interrupts: { id: string; toolCallId: string }[] } | undefined;
    if (outcome?.type === 'interrupt') {
      const { cursor } = (last.metadata as { toolstream: { cursor: string } }).toolstream;
      const position = 1 + recording.log.findIndex(({ seq }) => cursorOf(seq) === cursor);
      const awaited = awaitedApprovals(stateAt(recording, position));
      expect(outcome.interrupts.map(({ toolCallId }) => toolCallId)).toEqual(awaited.map((tool) => tool.call_id));
      expect(awaited).not.toHaveLength(0);
    } else if (isRunEnded(final.status)) {
      expect(results).toHaveLength(final.tools.length);
    }
  }
}
