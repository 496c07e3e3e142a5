import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromiumFromApt } from './chromium-download.ts';
import { withLock } from './file-lock.ts';
import { cacheFolder } from './project-paths.ts';
import { runQuietly } from './run-quietly.ts';

export interface ChromiumBinary {
  path: string;
  version: string;
  /** Which step of the search found it. */
  source: 'CHROMIUM_BIN' | 'PATH' | 'cache' | 'apt mirror';
}

export interface ChromiumSearch {
  env?: NodeJS.ProcessEnv;
  cache?: string;
}

/** Every step of the search and why it did not lead to a browser, in the order tried. */
export class ChromiumNotFound extends Error {
  readonly code = 'chromium_not_found';
  readonly tried: readonly string[];

  constructor(tried: string[]) {
    super(
      `chromium_not_found: no Chromium or Chrome. Tried, in this order:\n${tried.map((line) => `  - ${line}`).join('\n')}\n` +
        'Install one, or set CHROMIUM_BIN to it.',
    );
    this.name = 'ChromiumNotFound';
    this.tried = tried;
  }
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
/** Where installers put it on systems that do not put it on PATH. */
const PLACES: Partial<Record<NodeJS.Platform, string[]>> = {
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
};

/**
 * A browser for tests. What the user names comes first and is final; then what is installed, the cache, and on Debian-like
 * systems the distribution's package with the libraries that the machine lacks, unpacked into the cache.
 */
export async function findChromium(search: ChromiumSearch = {}): Promise<ChromiumBinary> {
  const env = search.env ?? process.env;
  const cache = search.cache ?? cacheFolder('chromium');
  const tried: string[] = [];
  const attempt = async (name: string, work: () => Promise<ChromiumBinary>) => {
    try {
      return await work();
    } catch (error) {
      tried.push(`${name}: ${(error as Error).message}`);
      return undefined;
    }
  };

  const named = env.CHROMIUM_BIN;
  if (named) {
    const binary = await attempt('CHROMIUM_BIN', () => inspect(named, 'CHROMIUM_BIN'));
    if (binary) return binary;
    throw new ChromiumNotFound(tried);
  }
  tried.push('CHROMIUM_BIN: not set');
  return (
    (await attempt('PATH', () => installed(env))) ??
    (await attempt(`cache ${cache}`, () => inCache(cache))) ??
    (await attempt('apt mirror', () => fillCache(cache))) ??
    Promise.reject(new ChromiumNotFound(tried))
  );
}

async function inspect(path: string, source: ChromiumBinary['source']): Promise<ChromiumBinary> {
  const text = await runQuietly(path, ['--version'], { timeoutMs: 20_000 });
  const version = /chrom\w*\D*(\d+(?:\.\d+)+)/i.exec(text)?.[1];
  if (version === undefined) throw new Error(`${path} --version names no version of Chromium or Chrome`);
  return { path, version, source };
}

/** The first that runs: what is called `chromium-browser` may be a stub that only says where to get it. */
async function installed(env: NodeJS.ProcessEnv): Promise<ChromiumBinary> {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  const candidates = [
    ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))),
    ...(PLACES[process.platform] ?? []),
  ].filter((path) => existsSync(path));
  const failures: string[] = [];
  for (const path of candidates) {
    try {
      return await inspect(path, 'PATH');
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new Error(failures.length === 0 ? `no ${NAMES.join(', ')}` : failures.join('; '));
}

async function inCache(cache: string): Promise<ChromiumBinary> {
  const path = join(cache, 'current', 'chromium');
  if (!existsSync(path)) throw new Error('empty');
  return inspect(path, 'cache');
}

/** One process fetches, the others wait for it; the browser appears in the cache complete or not at all. */
async function fillCache(cache: string): Promise<ChromiumBinary> {
  mkdirSync(cache, { recursive: true });
  return withLock(join(cache, 'lock'), 900_000, async () => {
    const meanwhile = await inCache(cache).catch(() => undefined);
    if (meanwhile) return meanwhile;
    const scratch = join(cache, `download-${process.pid}`);
    try {
      rmSync(scratch, { recursive: true, force: true });
      mkdirSync(scratch, { recursive: true });
      const unpacked = await chromiumFromApt(scratch);
      await inspect(join(unpacked, 'chromium'), 'apt mirror');
      rmSync(join(cache, 'current'), { recursive: true, force: true });
      renameSync(unpacked, join(cache, 'current'));
      return await inspect(join(cache, 'current', 'chromium'), 'apt mirror');
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
}
