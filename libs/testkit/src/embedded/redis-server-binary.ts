import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { unpackFromApt } from './apt-package.ts';
import { withLock } from './file-lock.ts';
import { cacheFolder } from './project-paths.ts';
import { runQuietly } from './run-quietly.ts';

export interface RedisServerBinary {
  path: string;
  version: string;
  /** Which step of the search found it. */
  source: 'REDIS_SERVER_BIN' | 'PATH' | 'cache' | 'apt mirror';
}

export interface RedisServerSearch {
  env?: NodeJS.ProcessEnv;
  cache?: string;
}

/** Every step of the search and why it did not lead to a server, in the order tried. */
export class RedisServerNotFound extends Error {
  readonly code = 'redis_server_not_found';
  readonly tried: readonly string[];

  constructor(tried: string[]) {
    super(
      `redis_server_not_found: no redis-server. Tried, in this order:\n${tried.map((line) => `  - ${line}`).join('\n')}\n` +
        'Install one, or set REDIS_SERVER_BIN to it.',
    );
    this.name = 'RedisServerNotFound';
    this.tried = tried;
  }
}

/**
 * Nothing of the product needs Redis: what it is measured beside does. What the user names comes first and is final; then
 * PATH, the cache, and on Debian-like systems the distribution's package, unpacked into the cache.
 */
export async function findRedisServer(search: RedisServerSearch = {}): Promise<RedisServerBinary> {
  const env = search.env ?? process.env;
  const cache = search.cache ?? cacheFolder('redis-server');
  const tried: string[] = [];
  const attempt = async (name: string, work: () => Promise<RedisServerBinary>) => {
    try {
      return await work();
    } catch (error) {
      tried.push(`${name}: ${(error as Error).message}`);
      return undefined;
    }
  };

  const named = env.REDIS_SERVER_BIN;
  if (named) {
    const binary = await attempt('REDIS_SERVER_BIN', () => inspect(named, 'REDIS_SERVER_BIN'));
    if (binary) return binary;
    throw new RedisServerNotFound(tried);
  }
  tried.push('REDIS_SERVER_BIN: not set');
  return (
    (await attempt('PATH', () => onPath(env))) ??
    (await attempt(`cache ${cache}`, () => inCache(cache))) ??
    (await attempt('apt mirror', () => fillCache(cache))) ??
    Promise.reject(new RedisServerNotFound(tried))
  );
}

async function inspect(path: string, source: RedisServerBinary['source']): Promise<RedisServerBinary> {
  const text = await runQuietly(path, ['--version'], { timeoutMs: 10_000 });
  const version = /\bv=(\d+(?:\.\d+)+)/.exec(text)?.[1];
  if (version === undefined) throw new Error(`${path} --version names no version of Redis`);
  return { path, version, source };
}

async function onPath(env: NodeJS.ProcessEnv): Promise<RedisServerBinary> {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  const path = folders.map((folder) => join(folder, 'redis-server')).find((candidate) => existsSync(candidate));
  if (!path) throw new Error('no redis-server');
  return inspect(path, 'PATH');
}

async function inCache(cache: string): Promise<RedisServerBinary> {
  const path = join(cache, 'current', 'redis-server');
  if (!existsSync(path)) throw new Error('empty');
  return inspect(path, 'cache');
}

/** One process fetches, the others wait for it; the server appears in the cache complete or not at all. */
async function fillCache(cache: string): Promise<RedisServerBinary> {
  mkdirSync(cache, { recursive: true });
  return withLock(join(cache, 'lock'), 300_000, async () => {
    const meanwhile = await inCache(cache).catch(() => undefined);
    if (meanwhile) return meanwhile;
    const scratch = join(cache, `download-${process.pid}`);
    try {
      rmSync(scratch, { recursive: true, force: true });
      mkdirSync(scratch, { recursive: true });
      const unpacked = await unpackFromApt(scratch, { name: 'redis-server', binary: 'usr/bin/redis-server' });
      await inspect(join(unpacked, 'redis-server'), 'apt mirror');
      rmSync(join(cache, 'current'), { recursive: true, force: true });
      renameSync(unpacked, join(cache, 'current'));
      return await inspect(join(cache, 'current', 'redis-server'), 'apt mirror');
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
}
