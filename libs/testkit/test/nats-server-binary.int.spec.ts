import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findNatsServer, type ProgramNotFound } from '@toolstream/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { scratchFolder } from './helpers.ts';

describe('the search for a nats-server', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let cache: string;

  /** Something executable that answers `--version`, which is all that the search looks at. */
  function place(name: string, version: string): string {
    const path = join(folder.path, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, `#!/bin/sh\necho "nats-server: v${version}"\n`, { mode: 0o755 });
    return path;
  }

  beforeEach(() => {
    folder = scratchFolder();
    cache = join(folder.path, 'cache');
  });

  afterEach(() => folder.remove());

  test('takes the one that the user names before any other', async () => {
    const named = place('named/server', '2.12.3');
    place('bin/nats-server', '2.15.1');
    const env = { NATS_SERVER_BIN: named, PATH: join(folder.path, 'bin') };
    expect(await findNatsServer({ env, cache })).toEqual({ path: named, version: '2.12.3', source: 'NATS_SERVER_BIN' });
  });

  test('does not look elsewhere when the one that the user names is of no use', async () => {
    place('bin/nats-server', '2.15.1');
    const env = { NATS_SERVER_BIN: place('named/server', '2.9.10'), PATH: join(folder.path, 'bin') };
    const error = (await findNatsServer({ env, cache }).catch((thrown) => thrown)) as ProgramNotFound;
    expect(error.code).toBe('nats_server_not_found');
    expect(error.message).toMatch(/NATS_SERVER_BIN: .*named\/server is 2\.9\.10, 2\.12\.0 is needed/);
  });

  test('takes the one on PATH when it is new enough', async () => {
    const path = place('bin/nats-server', '2.12.0');
    const env = { PATH: `${join(folder.path, 'nowhere')}:${join(folder.path, 'bin')}` };
    expect(await findNatsServer({ env, cache })).toEqual({ path, version: '2.12.0', source: 'PATH' });
  });

  test('passes over an old one on PATH and takes the newest of the cache', async () => {
    place('bin/nats-server', '2.10.27');
    place('cache/2.9.9/nats-server', '2.9.9');
    place('cache/2.12.4/nats-server', '2.12.4');
    const path = place('cache/2.15.1/nats-server', '2.15.1');
    const env = { PATH: join(folder.path, 'bin') };
    expect(await findNatsServer({ env, cache })).toEqual({ path, version: '2.15.1', source: 'cache' });
  });
});
