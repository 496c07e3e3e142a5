import { join } from 'node:path';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import type { LocalEdge } from '../../client/test/local-edge.ts';

/** No inline style or script, no eval: what a page may have to live with. */
const POLICY = "default-src 'self'; base-uri 'none'; require-trusted-types-for 'script'";

/** The element as one script, as a page without a build of its own would load it. */
export async function bundleElement(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, '../src/element/index.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2024',
    conditions: ['toolstream'],
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

/** The edge serves the page as well, so that both have one origin. */
export function servePage(edge: LocalEdge, script: string, body: string): string {
  edge.answer = ({ url }, _, response) => {
    response.setHeader('Content-Security-Policy', POLICY);
    if (url === '/toolstream-run.js') {
      response.setHeader('Content-Type', 'text/javascript; charset=utf-8').end(script);
    } else if (url === '/page') {
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(`<!doctype html><html lang="en"><title>A page</title>
        <script src="/toolstream-run.js" defer></script><body><main>${body}</main>`);
    } else response.writeHead(404).end();
  };
  return `${edge.url}/page`;
}

/** What the page complains about: exceptions, refused styles and scripts. */
export function complaints(page: Page): string[] {
  const all: string[] = [];
  page.on('pageerror', (error) => all.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/404/.test(message.text())) all.push(message.text());
  });
  return all;
}
