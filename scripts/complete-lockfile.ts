import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * npm leaves optional packages of other platforms out of a lockfile when it cannot see them (a partial mirror, a
 * node_modules of one platform), and then `npm ci` refuses the lockfile everywhere. This puts them back: exact version and
 * platform, no integrity. `--check` only says what is missing.
 */
interface Locked {
  version?: string;
  optionalDependencies?: Record<string, string>;
  dev?: true;
  optional?: true;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

const OS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const CPU = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];
const ALIASES: Record<string, string> = { windows: 'win32', 64: 'x64' };
const LIBC: Record<string, string> = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' };

const file = join(import.meta.dirname, '..', 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Locked> };
const missing: [path: string, entry: Locked][] = [];

for (const [path, locked] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(locked.optionalDependencies ?? {})) {
    const known = [`node_modules/${name}`, `${path}/node_modules/${name}`].some((place) => lock.packages[place]);
    if (!known) missing.push([`node_modules/${name}`, entryFor(name, version, locked)]);
  }
}

function entryFor(name: string, version: string, { dev }: Locked): Locked {
  if (!/^\d+\.\d+\.\d+/.test(version))
    throw new Error(`${name} is wanted as ${version}: only npm install can resolve that`);
  const words = name
    .slice(name.indexOf('/') + 1)
    .split('-')
    .map((word) => ALIASES[word] ?? word);
  const of = (known: string[]): string[] => words.filter((word) => known.includes(word)).slice(0, 1);
  const os = of(OS);
  const cpu = of(CPU);
  const libc = os[0] === 'linux' ? words.flatMap((word) => LIBC[word] ?? []) : [];
  if (os.length === 0) throw new Error(`${name} names no platform: only npm install can lock it`);
  return {
    version,
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(dev ? { dev } : {}),
    ...(libc.length > 0 ? { libc } : {}),
    optional: true,
    os,
  };
}

const names = missing.map(([path, { version }]) => `${path.replace('node_modules/', '')}@${version}`);
if (process.argv.includes('--check')) {
  if (names.length > 0) process.stderr.write(`The lockfile lacks ${names.join(', ')}: run make lockfile.\n`);
  process.exitCode = names.length > 0 ? 1 : 0;
} else if (names.length > 0) {
  const [root, ...others] = [...Object.entries(lock.packages), ...missing];
  others.sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries([root!, ...others]) }, null, 2)}\n`);
  process.stdout.write(`Added ${names.join(', ')}.\n`);
}
