import { Readable } from 'node:stream';
import { token } from '@toolstream/proto-events';
import { PathError, type WorkspaceEntry } from '@toolstream/stores';
import { z } from 'zod';
import { requireApp } from '../auth/principal.ts';
import { Refusal } from '../problems.ts';
import type { Services } from '../services.ts';
import { appParams } from './access.ts';
import { type AnyRoute, route } from './route.ts';

const file = z.object({
  path: z.string(),
  size: z.number().int(),
  sha256: z.string(),
  lines: z.number().int().optional(),
  run: z.string(),
  index: z.number().int(),
  attempt: z.number().int(),
  modified_at: z.string(),
});
const PAGE = 1_000;

/** The files that an app's tools wrote. */
export function fileRoutes({ workspace }: Services): AnyRoute[] {
  return [
    route({
      method: 'GET',
      url: '/v1/apps/:app/files',
      tag: 'files',
      summary: "The app's workspace, in order of the paths",
      scope: 'runs:read',
      params: appParams,
      query: z.object({
        prefix: z.string().max(512).optional(),
        after: z.string().max(512).optional(),
        limit: z.coerce.number().int().min(1).max(PAGE).default(PAGE),
      }),
      answers: {
        200: { description: 'One page', schema: z.object({ files: z.array(file), next: z.string().optional() }) },
      },
      handle: async ({ principal, params, query }) => {
        requireApp(principal, params.app);
        const { prefix = '', after, limit } = query;
        const entries = await workspace
          .at({ tenant: principal.tenant, app: params.app })
          .list(prefix, { limit, ...(after === undefined ? {} : { after }) });
        const last = entries.length === limit ? entries.at(-1) : undefined;
        return { files: entries.map(listing), ...(last ? { next: last.path } : {}) };
      },
    }),

    route({
      method: 'GET',
      url: '/v1/apps/:app/files/*',
      tag: 'files',
      summary: "A file's content",
      scope: 'runs:read',
      params: z.object({ app: token, '*': z.string().min(1) }),
      answers: {
        200: { description: 'The content; its sha256 is the ETag', contentType: 'application/octet-stream' },
        304: { description: 'Not modified' },
      },
      handle: async ({ principal, params, request, reply }) => {
        requireApp(principal, params.app);
        const found = await workspace
          .at({ tenant: principal.tenant, app: params.app })
          .stream(params['*'])
          .catch((error: unknown) => {
            if (error instanceof PathError) throw new Refusal('invalid', error.message);
            throw error;
          });
        if (!found) throw new Refusal('not_found', 'There is no such file.');
        const { entry } = found;
        const etag = `"${entry.sha256}"`;
        // Tools write these files, and models tell them what: never let a browser run one as a page of ours.
        reply
          .header('ETag', etag)
          .header('Cache-Control', 'private, no-cache')
          .header('X-Content-Type-Options', 'nosniff')
          .header('Content-Security-Policy', "sandbox; default-src 'none'")
          .header('Last-Modified', new Date(entry.modified_at).toUTCString());
        if (request.headers['if-none-match'] === etag) return reply.code(304).send();
        reply
          .header('Content-Type', entry.lines === undefined ? 'application/octet-stream' : 'text/plain; charset=utf-8')
          .header('Content-Length', String(entry.size));
        return reply.send(Readable.from(found.chunks(), { objectMode: false }));
      },
    }),
  ];
}

const listing = ({ path, size, sha256, lines, run, index, attempt, modified_at }: WorkspaceEntry) => ({
  path,
  size,
  sha256,
  ...(lines === undefined ? {} : { lines }),
  run,
  index,
  attempt,
  modified_at,
});
