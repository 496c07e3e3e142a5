import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTools } from './load-tools.ts';

const tool = (name: string, more = '') => `
import { defineTool } from '@toolstream/tool-kit';
import { z } from 'zod';
export const tools = [defineTool({
  name: '${name}', description: 'A tool', input: z.object({}), idempotent: true, estimatedMs: 1, ${more} run: () => null,
})];`;

let folder: string;
beforeAll(async () => {
  // Inside the checkout: the tool kit is found from there.
  const cache = join(import.meta.dirname, '../../../../.cache');
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(join(cache, 'load-tools-'));
  const put = async (path: string, content: string) => {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  const manifest = (more: object) => JSON.stringify({ name: 'x', type: 'module', ...more });
  await put('plain.mjs', tool('plain'));
  await put('threaded.mjs', tool('threaded', "isolation: 'thread',"));
  await put('again.mjs', tool('plain'));
  await put('empty.mjs', 'export const tools = [];');
  await put('broken.mjs', "throw new Error('at import');");
  await put('packaged/package.json', manifest({ exports: './main.mjs' }));
  await put('packaged/main.mjs', tool('packaged'));
  await put('node_modules/by-name/package.json', manifest({ exports: { '.': { default: './main.mjs' } } }));
  await put('node_modules/by-name/main.mjs', tool('by-name'));
  await put('node_modules/import-only/package.json', manifest({ exports: { '.': { import: './main.mjs' } } }));
  await put('node_modules/import-only/main.mjs', tool('import-only'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('TOOLSTREAM_TOOLS', () => {
  it('names modules, folders of packages and packages', async () => {
    const tools = await loadTools('./plain.mjs, packaged,by-name,import-only', folder);
    for (const name of ['plain', 'packaged', 'by-name', 'import-only', 'os-write']) expect(tools.has(name)).toBe(true);
  });

  it('brings tools that run in processes unless they say otherwise; the executor’s own run in threads', async () => {
    const tools = await loadTools('plain.mjs,threaded.mjs', folder);
    const isolation = (name: string) => tools.get(name)?.tool.isolation ?? tools.get(name)?.defaultIsolation;
    expect([isolation('plain'), isolation('threaded'), isolation('os-write')]).toEqual(['process', 'thread', 'thread']);
  });

  it('is an error at start, of all problems at once, when something does not fit', async () => {
    const loading = loadTools('plain.mjs,again.mjs,empty.mjs,broken.mjs,not-there', folder);
    await expect(loading).rejects.toMatchObject({ code: 'tool_module' });
    const message = await loading.catch((error: Error) => error.message);
    for (const part of ['the name plain is taken', 'empty.mjs: exports no tools', 'at import', 'not-there']) {
      expect(message).toContain(part);
    }
  });
});
