import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'vite';

/**
 * `node build.ts`: builds the console into `dist` if one of its sources is newer than the last build; with `--force` in any
 * case. An edge may be serving `dist` meanwhile: assets are added first and the page is replaced last, in one step, and what
 * open pages still load of earlier builds stays for a day.
 */
const here = import.meta.dirname;
const root = join(here, '..', '..');
const dist = join(here, 'dist');
const page = join(dist, 'index.html');

const SOURCES = [
  ...['src', 'index.html', 'package.json', 'vite.config.ts', 'precompressed.ts', 'build.ts'].map((name) =>
    join(here, name),
  ),
  ...['proto-events', 'libs/domain', 'libs/client', 'libs/react'].map((name) => join(root, name, 'src')),
];
const KEPT_MS = 24 * 3_600_000;

async function main(force: boolean): Promise<void> {
  const changed = force ? 'asked for' : newerThan(existsSync(page) ? statSync(page).mtimeMs : undefined);
  if (changed === undefined) return;
  process.stderr.write(`Building the console (${changed}).\n`);
  const begun = new Date();
  // Whoever asks may be a test: what is built is what is served.
  process.env.NODE_ENV = 'production';
  const fresh = join(here, `.build-${process.pid}`);
  try {
    await build({ root: here, logLevel: 'warn', build: { outDir: fresh, emptyOutDir: true } });
    install(fresh, begun);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Why to build; nothing if the last build is newer than every source. */
function newerThan(built: number | undefined): string | undefined {
  if (built === undefined) return 'there is none yet';
  const newer = SOURCES.flatMap(filesIn).find((path) => statSync(path).mtimeMs > built);
  return newer && `${relative(root, newer)} is newer`;
}

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.spec\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

function install(fresh: string, begun: Date): void {
  const assets = join(dist, 'assets');
  mkdirSync(assets, { recursive: true });
  for (const name of readdirSync(join(fresh, 'assets'))) {
    copyFileSync(join(fresh, 'assets', name), join(assets, name));
  }
  // Of the time when its sources were read: what was edited since counts as newer.
  utimesSync(join(fresh, 'index.html'), begun, begun);
  renameSync(join(fresh, 'index.html'), page);
  for (const name of readdirSync(assets)) {
    const path = join(assets, name);
    if (begun.getTime() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { force: true });
  }
}

await main(process.argv.includes('--force'));
