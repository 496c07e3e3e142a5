import { attach } from '../agui/attach.ts';
import { conversationOf } from '../agui/conversation.ts';
import { runAgentBody, runAgentInput } from '../agui/input.ts';
import { AguiTranslator } from '../agui/translator.ts';
import { Refusal } from '../problems.ts';
import type { Services } from '../services.ts';
import { openTranslation, sendTranslated } from '../translation/open.ts';
import { acceptsEventStream, admitStream } from './access.ts';
import { type AnyRoute, route } from './route.ts';

/** AG-UI 1.0 over HTTP: the tool calls of a conversation are run, and the answer is the run. */
export function aguiRoutes(services: Services): AnyRoute[] {
  return [
    route({
      method: 'POST',
      url: '/agui',
      tag: 'runs',
      summary: 'AG-UI: run the unanswered tool calls of the newest assistant message, and stream the run',
      // Submitting needs `runs:write`, answering interrupts `runs:control`.
      scope: 'runs:read',
      body: runAgentBody,
      documentedBody: runAgentInput,
      answers: {
        200: {
          description:
            'AG-UI events as SSE. The same threadId and runId again attach to the same run. Disconnecting cancels nothing',
          contentType: 'text/event-stream',
        },
      },
      handle: async (call) => {
        const { principal, request, reply, body } = call;
        if (!acceptsEventStream(request)) throw new Refusal('bad_request', 'Accept must allow text/event-stream.');
        admitStream(services, call, 'agui');
        const conversation = conversationOf(body.messages);
        const { calls, results } = conversation;
        const { address, ...attached } = await attach(services, { principal, request }, body, conversation);
        const translator = new AguiTranslator({
          threadId: body.threadId,
          runId: body.runId,
          parentRunId: body.parentRunId ?? undefined,
          // Ids alone: the stream outlives the request, whose messages may be large.
          holds: { calls, results },
          ...attached,
        });
        if (!address) return sendTranslated(call, [...translator.nothing()]);
        return openTranslation(services, { principal, request, reply }, address, translator);
      },
    }),
  ];
}
