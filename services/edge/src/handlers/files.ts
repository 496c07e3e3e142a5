import { Readable } from 'node:stream';
import { fileChange, fileListing, token } from '@toolstream/proto-events';
import { type AppWorkspace, PathError, type WorkspaceEntry } from '@toolstream/stores';
import { z } from 'zod';
import { requireApp } from '../auth/principal.ts';
import { Refusal } from '../problems.ts';
import type { Services } from '../services.ts';
import { appParams, runOf, runParams } from './access.ts';
import { type AnyRoute, route } from './route.ts';

const PAGE = 1_000;

/** The files that an app's tools wrote. */
export function fileRoutes(services: Services): AnyRoute[] {
  const { workspace } = services;
  return [
    route({
      method: 'GET',
      url: '/v1/runs/:id/files',
      tag: 'files',
      summary: 'What each call of a run did to the files of its app, as far as their histories still tell',
      scope: 'runs:read',
      params: runParams,
      answers: {
        200: {
          description: 'In order of the paths, of each the oldest first; `more`: there are more than are listed',
          schema: z.object({ changes: z.array(fileChange), more: z.boolean() }),
        },
      },
      handle: async ({ principal, params }) => {
        const { tenant, app, run } = await runOf(services, principal, params.id);
        const changes = await workspace.at({ tenant, app }).changes(run, { limit: PAGE + 1 });
        return { changes: changes.slice(0, PAGE), more: changes.length > PAGE };
      },
    }),

    route({
      method: 'GET',
      url: '/v1/apps/:app/versions',
      tag: 'files',
      summary: 'What was done to a path, newest first',
      scope: 'runs:read',
      params: appParams,
      query: z.object({ path: z.string().min(1).max(512) }),
      answers: {
        200: {
          description: 'The last 10 changes before the present one at most; none of a path that never held a file',
          schema: z.object({ versions: z.array(fileChange) }),
        },
      },
      handle: async ({ principal, params, query }) => {
        requireApp(principal, params.app);
        const files = workspace.at({ tenant: principal.tenant, app: params.app });
        return { versions: await files.versions(query.path).catch(refusedPath) };
      },
    }),

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
        200: {
          description: 'One page',
          schema: z.object({ files: z.array(fileListing), next: z.string().optional() }),
        },
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
      query: z.object({ version: z.string().min(1).max(512).optional() }),
      answers: {
        200: { description: 'The content; its sha256 is the ETag', contentType: 'application/octet-stream' },
        304: { description: 'Not modified' },
      },
      handle: async ({ principal, params, query, request, reply }) => {
        requireApp(principal, params.app);
        const files = workspace.at({ tenant: principal.tenant, app: params.app });
        const { version } = query;
        const found = await (version === undefined ? present(files, params['*']) : past(files, params['*'], version));
        const etag = `"${found.sha256}"`;
        // Tools write these files, and models tell them what: never let a browser run one as a page of ours.
        reply
          .header('ETag', etag)
          .header('Cache-Control', 'private, no-cache')
          .header('X-Content-Type-Options', 'nosniff')
          .header('Content-Security-Policy', "sandbox; default-src 'none'")
          .header('Last-Modified', new Date(found.modified_at).toUTCString());
        if (request.headers['if-none-match'] === etag) return reply.code(304).send();
        reply
          .header('Content-Type', found.lines === undefined ? 'application/octet-stream' : 'text/plain; charset=utf-8')
          .header('Content-Length', String(found.size));
        return reply.send(Readable.from(found.chunks(), { objectMode: false }));
      },
    }),
  ];
}

interface Served {
  readonly sha256: string;
  readonly size: number;
  readonly lines?: number | undefined;
  readonly modified_at: string;
  chunks(): AsyncIterable<Uint8Array>;
}

async function present(files: AppWorkspace, path: string): Promise<Served> {
  const found = await files.stream(path).catch(refusedPath);
  if (!found) throw new Refusal('not_found', 'There is no such file.');
  return { ...found.entry, chunks: () => found.chunks() };
}

async function past(files: AppWorkspace, path: string, version: string): Promise<Served> {
  const told = (await files.versions(path).catch(refusedPath)).find(({ after }) => after?.version === version);
  const found = told && (await files.openVersion(path, version));
  if (!told?.after || !found) throw new Refusal('not_found', 'This version of the file is not kept (any more).');
  return { ...told.after, modified_at: told.modified_at, chunks: () => found.chunks() };
}

function refusedPath(error: unknown): never {
  if (error instanceof PathError) throw new Refusal('invalid', error.message);
  throw error;
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
