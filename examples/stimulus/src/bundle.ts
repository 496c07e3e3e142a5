import { join } from 'node:path';
import { build } from 'esbuild';

const JAVASCRIPT = join(import.meta.dirname, '..', 'javascript');

/** What a Rails application does in `bin/dev` with jsbundling: one esbuild, the pages' scripts and what they share. */
export async function bundle(): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: {
      page: join(JAVASCRIPT, 'application.js'),
      cable: join(JAVASCRIPT, 'cable', 'application.js'),
      element: join(JAVASCRIPT, 'element', 'application.js'),
    },
    outdir: '/assets',
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    conditions: ['toolstream'],
    logLevel: 'silent',
  });
  return new Map(outputFiles.map(({ path, contents }) => [path, contents]));
}
