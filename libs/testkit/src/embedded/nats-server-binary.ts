import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { withLock } from './file-lock.ts';
import { fromAptMirror, fromGithubRelease } from './nats-server-download.ts';
import { compareVersions, isNewEnough, MINIMUM_VERSION, parseVersion } from './nats-server-version.ts';
import { cacheFolder } from './project-paths.ts';
import { runQuietly } from './run-quietly.ts';

export interface NatsServerBinary {
  path: string;
  version: string;
  /** Which step of the search found it. */
  source: 'NATS_SERVER_BIN' | 'PATH' | 'cache' | 'GitHub release' | 'apt mirror';
}

export interface NatsServerSearch {
  env?: NodeJS.ProcessEnv;
  cache?: string;
}

/** Every step of the search and why it did not lead to a server, in the order tried. */
export class NatsServerNotFound extends Error {
  readonly code = 'nats_server_not_found';
  readonly tried: readonly string[];

  constructor(tried: string[]) {
    super(
      `nats_server_not_found: no nats-server ${MINIMUM_VERSION} or newer. Tried, in this order:\n` +
        tried.map((line) => `  - ${line}`).join('\n') +
        '\nSet NATS_SERVER_BIN to a nats-server, or NATS_URL to a running one.',
    );
    this.name = 'NatsServerNotFound';
    this.tried = tried;
  }
}

let found: Promise<NatsServerBinary> | undefined;

/** Finds the server once per process. A failed search is not remembered: the network may come back. */
export function natsServerBinary(): Promise<NatsServerBinary> {
  found ??= findNatsServer().catch((error) => {
    found = undefined;
    throw error;
  });
  return found;
}

/**
 * What the user names comes first and is final: a NATS_SERVER_BIN that does not work is an error, not a reason to look
 * elsewhere. Then PATH, the cache, and the two ways to fill the cache.
 */
export async function findNatsServer(search: NatsServerSearch = {}): Promise<NatsServerBinary> {
  const env = search.env ?? process.env;
  const cache = search.cache ?? cacheFolder('nats-server');
  const tried: string[] = [];
  const attempt = async (name: string, work: () => Promise<NatsServerBinary>) => {
    try {
      return await work();
    } catch (error) {
      tried.push(`${name}: ${(error as Error).message}`);
      return undefined;
    }
  };

  const named = env.NATS_SERVER_BIN;
  if (named) {
    const binary = await attempt('NATS_SERVER_BIN', () => inspect(named, 'NATS_SERVER_BIN'));
    if (binary) return binary;
    throw new NatsServerNotFound(tried);
  }
  tried.push('NATS_SERVER_BIN: not set');
  return (
    (await attempt('PATH', () => onPath(env))) ??
    (await attempt(`cache ${cache}`, () => inCache(cache))) ??
    (await attempt('download', () => fillCache(cache, tried))) ??
    Promise.reject(new NatsServerNotFound(tried))
  );
}

async function inspect(path: string, source: NatsServerBinary['source']): Promise<NatsServerBinary> {
  const version = parseVersion(await runQuietly(path, ['--version'], { timeoutMs: 10_000 }));
  if (!version) throw new Error(`${path} --version names no version`);
  if (!isNewEnough(version)) throw new Error(`${path} is ${version}, ${MINIMUM_VERSION} is needed`);
  return { path, version, source };
}

async function onPath(env: NodeJS.ProcessEnv): Promise<NatsServerBinary> {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  const path = folders.map((folder) => join(folder, 'nats-server')).find((candidate) => existsSync(candidate));
  if (!path) throw new Error('no nats-server');
  return inspect(path, 'PATH');
}

async function inCache(cache: string): Promise<NatsServerBinary> {
  const versions = existsSync(cache) ? readdirSync(cache).filter((name) => /^\d+\.\d+\.\d+$/.test(name)) : [];
  const newest = versions.sort(compareVersions).at(-1);
  if (!newest) throw new Error('empty');
  return inspect(join(cache, newest, 'nats-server'), 'cache');
}

/** One process downloads, the others wait for it; the binary appears in the cache complete or not at all. */
async function fillCache(cache: string, tried: string[]): Promise<NatsServerBinary> {
  mkdirSync(cache, { recursive: true });
  return withLock(join(cache, 'lock'), 600_000, async () => {
    const meanwhile = await inCache(cache).catch(() => undefined);
    if (meanwhile) return meanwhile;
    const ways = [
      ['GitHub release', (scratch: string) => fromGithubRelease(scratch)],
      ['apt mirror', fromAptMirror],
    ] as const;
    for (const [source, fetchBinary] of ways) {
      const scratch = join(cache, `download-${process.pid}`);
      try {
        rmSync(scratch, { recursive: true, force: true });
        mkdirSync(scratch, { recursive: true });
        return await keep(cache, await fetchBinary(scratch), source);
      } catch (error) {
        tried.push(`${source}: ${(error as Error).message}`);
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
    }
    throw new Error('no way led to a server');
  });
}

async function keep(cache: string, path: string, source: NatsServerBinary['source']): Promise<NatsServerBinary> {
  chmodSync(path, 0o755);
  const { version } = await inspect(path, source);
  const draft = join(cache, `draft-${process.pid}`);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft);
  copyFileSync(path, join(draft, 'nats-server'));
  // A folder of this version that is there did not pass inspection (else it would have been used): replace it.
  rmSync(join(cache, version), { recursive: true, force: true });
  renameSync(draft, join(cache, version));
  return { path: join(cache, version, 'nats-server'), version, source };
}
