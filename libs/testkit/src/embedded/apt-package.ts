import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { parseOsRelease } from './apt-sources.ts';
import { runQuietly } from './run-quietly.ts';

export interface AptPackage {
  readonly name: string;
  /** Where the package has it, from the root: `usr/bin/redis-server`. */
  readonly binary: string;
  /** Variables that the binary is started with: the package's folders, from the root, whose paths match. */
  readonly searchPaths?: Readonly<Record<string, RegExp>>;
  /** What Ubuntu has in place of a package that can be unpacked: `as a snap only`. */
  readonly notOnUbuntu?: string;
}

/**
 * A package of the distribution and whatever it depends on that this machine lacks, as the machine's own apt sources have
 * them, but with lists and a cache of its own: nothing is installed, no system file is touched and root is not needed.
 * Returns a folder with a launcher, called as the binary is, that can be started wherever the folder is moved to.
 */
export async function unpackFromApt(scratch: string, wanted: AptPackage): Promise<string> {
  if (!existsSync('/etc/os-release') || !existsSync('/etc/apt')) throw new Error('not a Debian-like system');
  const isUbuntu = parseOsRelease(readFileSync('/etc/os-release', 'utf8')).ID === 'ubuntu';
  if (isUbuntu && wanted.notOnUbuntu) throw new Error(`Ubuntu has ${wanted.name} ${wanted.notOnUbuntu}`);
  for (const name of ['lists/partial', 'cache/archives/partial', 'unpacked/root'])
    mkdirSync(join(scratch, name), { recursive: true });
  const settings = {
    'Dir::State::lists': join(scratch, 'lists'),
    'Dir::Cache': join(scratch, 'cache'),
    // The locks of the system's apt guard the system's files; these are others.
    'Debug::NoLocking': '1',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '10',
    'Acquire::https::Timeout': '10',
    'APT::Sandbox::User': 'root',
  };
  const options = [...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]), '-q'];
  await runQuietly('apt-get', [...options, 'update'], { timeoutMs: 120_000 });
  const install = ['-y', '--no-install-recommends', '--download-only', 'install', wanted.name];
  await runQuietly('apt-get', [...options, ...install], { timeoutMs: 600_000 });
  const archives = join(scratch, 'cache', 'archives');
  const unpacked = join(scratch, 'unpacked');
  for (const name of readdirSync(archives).filter((file) => file.endsWith('.deb')))
    await runQuietly('dpkg', ['-x', join(archives, name), join(unpacked, 'root')], { timeoutMs: 120_000 });
  writeLauncher(unpacked, wanted);
  return unpacked;
}

/** A package's own start script expects to be installed; this one brings the libraries that lie beside it. */
function writeLauncher(folder: string, { binary, searchPaths = {} }: AptPackage): void {
  if (!existsSync(join(folder, 'root', binary))) throw new Error(`the package holds no ${binary}`);
  const entries = readdirSync(join(folder, 'root'), { recursive: true, withFileTypes: true });
  const pathOf = (entry: (typeof entries)[number]) =>
    relative(join(folder, 'root'), join(entry.parentPath, entry.name));
  const folders = entries.filter((entry) => entry.isDirectory()).map(pathOf);
  const libraries = new Set(
    entries.filter(({ name }) => /\.so(\.|$)/.test(name)).map((entry) => dirname(pathOf(entry))),
  );
  const settings = [
    ['LD_LIBRARY_PATH', [...libraries]] as const,
    ...Object.entries(searchPaths).map(([name, wanted]) => [name, folders.filter((at) => wanted.test(at))] as const),
  ];
  const path = join(folder, basename(binary));
  const exports = settings.map(
    ([name, paths]) => `export ${name}="${paths.map((at) => `$here/root/${at}`).join(':')}"`,
  );
  writeFileSync(
    path,
    `#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\n${exports.join('\n')}\nexec "$here/root/${binary}" "$@"\n`,
  );
  chmodSync(path, 0o755);
}
