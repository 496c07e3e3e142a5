import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

/** What an entry of this package adds to a page that has React and the client already. */
async function bundle(entry: string): Promise<{ size: number; outside: string[] }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(import.meta.dirname, '../src', entry)],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    jsx: 'automatic',
    external: ['react', 'react/jsx-runtime', '@toolstream/client'],
    conditions: ['toolstream'],
    logLevel: 'silent',
  });
  const [output] = Object.values(metafile.outputs);
  const inside = Object.keys(output!.inputs).filter((path) => !path.startsWith('libs/react/src/'));
  const outside = [...new Set(output!.imports.map(({ path }) => path))].sort();
  expect(inside).toEqual([]);
  return { size: gzipSync(outputFiles[0]!.contents, { level: 9 }).length, outside };
}

describe('without React and the client, with gzip', () => {
  it('the hooks and components are at most 8 kB', async () => {
    const { size, outside } = await bundle('index.ts');
    expect(outside).toEqual(['@toolstream/client', 'react', 'react/jsx-runtime']);
    expect(size).toBeLessThanOrEqual(8_000);
  });

  it('the element, its style included, is at most 10 kB, and knows nothing of React', async () => {
    const { size, outside } = await bundle('element/index.ts');
    expect(outside).toEqual(['@toolstream/client']);
    expect(size).toBeLessThanOrEqual(10_000);
  });

  it('the stores know nothing of React, nor of the client but its types', async () => {
    const { outside } = await bundle('store.ts');
    expect(outside).toEqual([]);
  });
});
