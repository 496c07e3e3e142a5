import { Readable } from 'node:stream';
import { count } from '@toolstream/proto-events';
import { z } from 'zod';
import { Refusal } from '../problems.ts';
import type { Services } from '../services.ts';
import { runOf, runParams } from './access.ts';
import { type AnyRoute, route } from './route.ts';

const artifactParams = runParams.extend({ artifact: z.string().min(1).max(200) });
const reference = z.object({ bytes: z.coerce.number().pipe(count), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** Values and outputs of a run that are too large for its events. */
export function artifactRoutes(services: Services): AnyRoute[] {
  return [
    route({
      method: 'GET',
      url: '/v1/runs/:id/artifacts/:artifact',
      tag: 'runs',
      summary: 'What a `$ref` stands for',
      scope: 'runs:read',
      params: artifactParams,
      query: reference,
      answers: {
        200: { description: 'The content, as it was stored', contentType: 'application/octet-stream' },
      },
      handle: async ({ principal, params, query, reply }) => {
        const { tenant, run } = await runOf(services, principal, params.id);
        const ref = { $ref: { artifact: params.artifact, ...query } };
        // The whole reference is asked for, which only those know who may read the run; what was stored before there was a
        // run (arguments) names none.
        const ofRun = [run, '_'].some((owner) => params.artifact.startsWith(`${tenant}.${owner}.`));
        const content = ofRun ? await services.artifacts.stream(ref, { tenant }) : undefined;
        if (!content) throw new Refusal('not_found', 'There is no such artifact of this run.');
        // Tools and models made it: never let a browser run it as a page of ours.
        reply
          .header('Cache-Control', 'private, max-age=31536000, immutable')
          .header('X-Content-Type-Options', 'nosniff')
          .header('Content-Security-Policy', "sandbox; default-src 'none'")
          .header('Content-Type', 'application/octet-stream')
          .header('Content-Length', String(query.bytes));
        return reply.send(Readable.from(content, { objectMode: false }));
      },
    }),
  ];
}
