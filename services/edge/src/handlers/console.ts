import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Refusal } from '../problems.ts';

/** The console's views (services/console/src/routes.tsx): each of their addresses answers the one page. */
export const CONSOLE_PATHS = ['/', '/runs/:id', '/apps/:app', '/tools', '/delivery', '/new'];

/** Vite writes it wherever the page names a script or a style sheet; here it becomes a new nonce for every answer. */
const NONCE = '__TOOLSTREAM_CSP_NONCE__';

/**
 * Nothing from elsewhere, no inline script, no eval; a style sheet made by a script needs the page's nonce. A page that holds
 * a token is framed by nobody and tells nobody where it was.
 */
const policy = (nonce: string): string =>
  [
    "default-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/**
 * The console's files, from the folder that its build wrote. The page is never cached, so that a new build is seen at once;
 * what it loads has names made of the content and is kept for good. Without a build its addresses say what to run.
 */
export async function consoleRoutes(app: FastifyInstance, folder: string | undefined): Promise<void> {
  for (const path of CONSOLE_PATHS) app.get(path, async (_request, reply) => page(reply, await read(folder)));
  if (folder === undefined) return;
  await app.register(fastifyStatic, {
    root: resolve(folder, 'assets'),
    prefix: '/assets/',
    decorateReply: false,
    suppressWarning: true,
    index: false,
    preCompressed: true,
    maxAge: '365d',
    immutable: true,
  });
}

function page(reply: FastifyReply, html: string): FastifyReply {
  const nonce = randomBytes(16).toString('base64url');
  return reply
    .type('text/html; charset=utf-8')
    .header('Cache-Control', 'no-cache')
    .header('Content-Security-Policy', policy(nonce))
    .header('Referrer-Policy', 'no-referrer')
    .header('Cross-Origin-Opener-Policy', 'same-origin')
    .send(html.replaceAll(NONCE, nonce));
}

async function read(folder: string | undefined): Promise<string> {
  if (folder === undefined)
    throw new Refusal('unavailable', 'This edge serves no console: TOOLSTREAM_CONSOLE_DIR is not set.');
  try {
    return await readFile(join(folder, 'index.html'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Refusal('unavailable', 'The console has not been built: run `make console`, then load this page again.');
  }
}
