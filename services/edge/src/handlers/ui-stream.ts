import { z } from 'zod';
import type { Services } from '../services.ts';
import { openTranslation } from '../translation/open.ts';
import { PROGRESS_MODES } from '../ui-stream/tool-part.ts';
import { UiMessageTranslator } from '../ui-stream/translator.ts';
import { admitStream, runOf, runParams } from './access.ts';
import { type AnyRoute, route } from './route.ts';

/** A run as a UI message stream of the AI SDK: what `resumeStream` reads. */
export function uiStreamRoutes(services: Services): AnyRoute[] {
  return [
    route({
      method: 'GET',
      url: '/v1/runs/:id/ui-stream',
      tag: 'runs',
      summary: 'A run as a UI message stream of the AI SDK, always from the message’s start',
      scope: 'runs:read',
      lasting: true,
      params: runParams,
      query: z.object({
        /** `data`: `data-tool-progress` parts. `preliminary`: preliminary outputs of the tool parts. */
        progress: z.enum(PROGRESS_MODES).default('data'),
        /** What an ended run is answered with: its whole message, or 204, which the SDK takes as nothing to resume. */
        ended: z.enum(['replay', 'none']).default('replay'),
      }),
      answers: {
        200: { description: 'Chunks as SSE, at the end `[DONE]`', contentType: 'text/event-stream' },
        204: { description: 'With `ended=none`: the run has ended' },
      },
      handle: async (call) => {
        const { principal, params, query, request, reply } = call;
        const address = await runOf(services, principal, params.id);
        if (query.ended === 'none' && (await services.reader.read(address))?.ended_at !== undefined)
          return reply.code(204).send();
        admitStream(services, call, 'ui-stream');
        const translator = new UiMessageTranslator(query.progress);
        const headers = { 'X-Vercel-AI-UI-Message-Stream': 'v1' };
        return openTranslation(services, { principal, request, reply }, address, translator, headers);
      },
    }),
  ];
}
