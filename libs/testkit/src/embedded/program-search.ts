import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { withLock } from './file-lock.ts';
import { cacheFolder } from './project-paths.ts';
import { runQuietly } from './run-quietly.ts';
import { compareVersions } from './versions.ts';

/** A program of others, and where it comes from when it is not installed. */
export interface Program {
  /** As its file in the cache is called. */
  readonly name: string;
  /** The environment variable that names one. */
  readonly variable: string;
  /** What it may be called on PATH. */
  readonly names: readonly string[];
  /** Where installers put it on systems that do not put it on PATH. */
  readonly places?: readonly string[];
  /** The version that `--version` told, or an error where this is another program or of no use. */
  versionIn(output: string, path: string): string;
  /** In the order tried. Each returns a folder inside the scratch folder that holds the program and can be moved. */
  readonly ways: readonly (readonly [source: string, fetch: (scratch: string) => Promise<string>])[];
  readonly notFound: { readonly code: string; readonly message: string; readonly advice: string };
}

export interface FoundProgram {
  readonly path: string;
  readonly version: string;
  /** Which step of the search found it: the variable, `PATH`, `cache`, or the way that it was fetched. */
  readonly source: string;
}

export interface ProgramSearch {
  readonly env?: NodeJS.ProcessEnv;
  readonly cache?: string;
}

export class ProgramNotFound extends Error {
  readonly code: string;
  /** Every step of the search and why it did not lead to the program, in the order tried. */
  readonly tried: readonly string[];

  constructor({ code, message, advice }: Program['notFound'], tried: readonly string[]) {
    super(`${code}: ${message}. Tried, in this order:\n${tried.map((line) => `  - ${line}`).join('\n')}\n${advice}`);
    this.name = 'ProgramNotFound';
    this.code = code;
    this.tried = tried;
  }
}

const VERSION_MS = 20_000;
const FETCH_MS = 900_000;

/**
 * What the user names comes first and is final: one that does not work is an error, not a reason to look elsewhere. Then
 * what is installed, the cache, and the ways to fill the cache.
 */
export async function findProgram(program: Program, search: ProgramSearch = {}): Promise<FoundProgram> {
  const { env = process.env, cache = cacheFolder(program.name) } = search;
  const tried: string[] = [];
  const attempt = async (name: string, work: () => Promise<FoundProgram>) => {
    try {
      return await work();
    } catch (error) {
      tried.push(`${name}: ${(error as Error).message}`);
      return undefined;
    }
  };

  const named = env[program.variable];
  if (named) {
    const found = await attempt(program.variable, () => inspect(program, named, program.variable));
    if (found) return found;
    throw new ProgramNotFound(program.notFound, tried);
  }
  tried.push(`${program.variable}: not set`);
  return (
    (await attempt('PATH', () => installed(program, env))) ??
    (await attempt(`cache ${cache}`, () => cached(program, cache))) ??
    (await attempt('download', () => fillCache(program, cache, attempt))) ??
    Promise.reject(new ProgramNotFound(program.notFound, tried))
  );
}

async function inspect(program: Program, path: string, source: string): Promise<FoundProgram> {
  const output = await runQuietly(path, ['--version'], { timeoutMs: VERSION_MS });
  return { path, version: program.versionIn(output, path), source };
}

/** The first that is of use: one may be too old, or a stub that only says where to get the program. */
async function installed(program: Program, env: NodeJS.ProcessEnv): Promise<FoundProgram> {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  const onPath = program.names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const failures: string[] = [];
  for (const path of [...onPath, ...(program.places ?? [])].filter((candidate) => existsSync(candidate))) {
    try {
      return await inspect(program, path, 'PATH');
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new Error(failures.join('; ') || `no ${program.names.join(', ')}`);
}

/** The cache holds a folder for each version. */
async function cached(program: Program, cache: string): Promise<FoundProgram> {
  const versions = existsSync(cache) ? readdirSync(cache).filter((name) => /^\d+(\.\d+)+$/.test(name)) : [];
  const newest = versions.sort(compareVersions).at(-1);
  if (!newest) throw new Error('empty');
  return inspect(program, join(cache, newest, program.name), 'cache');
}

/** One process fetches, the others wait for it; the program appears in the cache complete or not at all. */
async function fillCache(
  program: Program,
  cache: string,
  attempt: (name: string, work: () => Promise<FoundProgram>) => Promise<FoundProgram | undefined>,
): Promise<FoundProgram> {
  mkdirSync(cache, { recursive: true });
  return withLock(join(cache, 'lock'), FETCH_MS, async () => {
    const meanwhile = await cached(program, cache).catch(() => undefined);
    if (meanwhile) return meanwhile;
    const scratch = join(cache, `download-${process.pid}`);
    for (const [source, fetch] of program.ways) {
      try {
        rmSync(scratch, { recursive: true, force: true });
        mkdirSync(scratch);
        const found = await attempt(source, async () => keep(program, cache, await fetch(scratch), source));
        if (found) return found;
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
    }
    throw new Error('no way led to one');
  });
}

async function keep(program: Program, cache: string, folder: string, source: string): Promise<FoundProgram> {
  const { version } = await inspect(program, join(folder, program.name), source);
  const kept = join(cache, version);
  // A folder of this version that is there did not pass inspection (else it would have been used): replace it.
  rmSync(kept, { recursive: true, force: true });
  renameSync(folder, kept);
  return { path: join(kept, program.name), version, source };
}
