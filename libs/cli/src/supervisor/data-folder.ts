import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type FileLock, freePort, isFree, isLock, projectRoot, tryLock } from '@toolstream/testkit';

/** The folder that holds everything a stack keeps between starts. */
export interface DataFolder {
  path: string;
  run: string;
  log: string;
}

export function defaultDataDir(): string {
  return join(projectRoot() ?? process.cwd(), '.toolstream');
}

export function openDataFolder(dataDir: string): DataFolder {
  mkdirSync(resolve(dataDir), { recursive: true });
  const path = realpathSync(resolve(dataDir));
  const folder = { path, run: join(path, 'run'), log: join(path, 'log') };
  mkdirSync(folder.run, { recursive: true });
  mkdirSync(folder.log, { recursive: true });
  return folder;
}

/** One stack per data folder. */
export function lockDataFolder({ path }: DataFolder): FileLock {
  const taken = tryLock(join(path, 'lock'));
  if (isLock(taken)) return taken;
  throw new Error(
    `data_dir_in_use: ${path} is in use by process ${taken.pid}. ` +
      'Stop that one, or set TOOLSTREAM_DATA_DIR to another folder.',
  );
}

/** Made once and kept, so that tokens stay good over restarts. */
export function keptSecret({ path }: DataFolder): string {
  const file = join(path, 'jwt-secret');
  if (!existsSync(file)) writePrivately(file, randomBytes(32).toString('base64url'));
  return readFileSync(file, 'utf8').trim();
}

/** The port of the last start if it is free, so that addresses stay the same; else another one. */
export async function keptPort({ path }: DataFolder, name: string): Promise<number> {
  const file = join(path, 'ports.json');
  const known = readJson(file);
  const last = known[name];
  const port = typeof last === 'number' && (await isFree(last)) ? last : await freePort();
  writePrivately(file, JSON.stringify({ ...readJson(file), [name]: port }));
  return port;
}

function readJson(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Only for the owner's eyes, and never half written. */
export function writePrivately(file: string, content: string): void {
  const draft = `${file}.draft`;
  writeFileSync(draft, content, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, file);
}
