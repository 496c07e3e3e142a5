import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { describe, expect, it } from 'vitest';

/** Everything that `index.ts` exports, for a browser. */
async function bundled(options: BuildOptions): Promise<{ metafile: Metafile; gzip: (path: string) => number }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(import.meta.dirname, '../src/index.ts')],
    outdir: '/out',
    absWorkingDir: '/',
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    conditions: ['toolstream'],
    logLevel: 'silent',
    ...options,
  });
  const gzip = (path: string) => {
    const file = outputFiles!.find((one) => one.path === `/${path}`)!;
    return gzipSync(file.contents, { level: 9 }).length;
  };
  return { metafile: metafile!, gzip };
}

/** The files that a page has to have before any of them runs. */
function loadedAtOnce({ outputs }: Metafile): string[] {
  const entry = Object.keys(outputs).find((path) => outputs[path]!.entryPoint?.endsWith('/src/index.ts'))!;
  const found = new Set([entry]);
  for (const path of found)
    for (const { path: next, kind } of outputs[path]!.imports) if (kind === 'import-statement') found.add(next);
  return [...found];
}

const used = ({ outputs }: Metafile): string[] =>
  Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs).filter((path) => inputs[path]!.bytesInOutput > 0));

describe('the client in a bundle', () => {
  it('is at most 15 kB (gzip) to watch and to command runs, however many files that is', async () => {
    const { metafile, gzip } = await bundled({ splitting: true });
    const sizes = loadedAtOnce(metafile).map(gzip);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(15_000);
  });

  it('is at most 22 kB with what is loaded for requests, and where WebSockets do not get through', async () => {
    const { metafile, gzip } = await bundled({ splitting: true });
    const sizes = Object.keys(metafile.outputs).map(gzip);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(22_000);
  });

  it.each([true, false])('has nothing of other packages in it (in parts: %s)', async (splitting) => {
    const { metafile } = await bundled({ splitting });
    expect(used(metafile).filter((path) => path.includes('node_modules'))).toEqual([]);
  });
});
