import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findProgram, type Program, ProgramNotFound } from '../src/embedded/program-search.ts';
import { scratchFolder } from './helpers.ts';

describe('a program that is nowhere', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let search: { env: NodeJS.ProcessEnv; cache: string };
  let fetched: number;

  beforeEach(() => {
    folder = scratchFolder();
    search = { env: { PATH: join(folder.path, 'nothing') }, cache: join(folder.path, 'cache') };
    fetched = 0;
  });
  afterEach(() => folder.remove());

  const away = async (): Promise<string> => {
    throw new Error('the network is away');
  };
  const unpacked = (answer: string) => async (scratch: string) => {
    fetched++;
    const place = join(scratch, 'unpacked');
    mkdirSync(place);
    writeFileSync(join(place, 'hello'), `#!/bin/sh\necho "${answer}"\n`, { mode: 0o755 });
    return place;
  };
  const hello = (...ways: Program['ways']): Program => ({
    name: 'hello',
    variable: 'HELLO_BIN',
    names: ['hello', 'hallo'],
    versionIn: (output) => {
      if (!output.startsWith('hello ')) throw new Error('not hello');
      return output.trim().slice('hello '.length);
    },
    ways,
    notFound: { code: 'hello_not_found', message: 'no hello', advice: 'Install one.' },
  });

  test('is fetched by the first way that leads to it, once, also when several look for it', async () => {
    const program = hello(['first', away], ['second', unpacked('hello 1.2')]);
    const [one, other] = await Promise.all([findProgram(program, search), findProgram(program, search)]);
    const path = join(search.cache, '1.2', 'hello');
    expect([one, other].map((found) => found.path)).toEqual([path, path]);
    expect([one.source, other.source].sort()).toEqual(['cache', 'second']);
    expect(fetched).toBe(1);
    expect(readdirSync(search.cache)).toEqual(['1.2']);
    expect(await findProgram(program, search)).toEqual({ path, version: '1.2', source: 'cache' });
  });

  test('is missed with every step that was tried, and nothing is left of what was no use', async () => {
    const program = hello(['first', away], ['second', unpacked('goodbye')]);
    const error = await findProgram(program, search).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProgramNotFound);
    expect(error).toMatchObject({
      code: 'hello_not_found',
      tried: [
        'HELLO_BIN: not set',
        'PATH: no hello, hallo',
        `cache ${search.cache}: empty`,
        'first: the network is away',
        'second: not hello',
        'download: no way led to one',
      ],
    });
    expect(readdirSync(search.cache)).toEqual([]);
  });
});
