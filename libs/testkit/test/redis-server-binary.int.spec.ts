import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRedisServer, ProgramNotFound } from '../src/index.ts';

describe('The search for Redis', () => {
  it('finds a server that runs', { timeout: 600_000 }, async () => {
    const binary = await findRedisServer();
    expect(binary.version).toMatch(/^\d+\./);
    expect(await findRedisServer()).toMatchObject({ path: binary.path, version: binary.version });
  });

  it('takes what the user names as final', async () => {
    const error = await findRedisServer({ env: { REDIS_SERVER_BIN: '/nowhere/redis-server' } }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ProgramNotFound);
    expect((error as ProgramNotFound).tried).toHaveLength(1);
    expect((error as ProgramNotFound).message).toContain('/nowhere/redis-server');
  });

  it('does not take a program of that name that is no Redis', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'toolstream-redis-'));
    try {
      const error = await findRedisServer({ env: { REDIS_SERVER_BIN: '/bin/true' }, cache }).catch(
        (thrown: unknown) => thrown,
      );
      expect((error as Error).message).toContain('names no version');
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  });
});
