import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AptSource, distributionSources, parseAptSources, parseOsRelease, sourceForSuite } from './apt-sources.ts';
import { runQuietly } from './run-quietly.ts';

const RELEASE = '2.15.1';
const RELEASES = 'https://github.com/nats-io/nats-server/releases/download';
const ARCHITECTURES: Record<string, string> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm7',
  ia32: '386',
  s390x: 's390x',
};

/** The official release, checked against the checksums published with it. Without a network it fails in the name lookup. */
export async function fromGithubRelease(scratch: string, releases: string = RELEASES): Promise<string> {
  const architecture = ARCHITECTURES[process.arch];
  if (!architecture || !['linux', 'darwin'].includes(process.platform)) {
    throw new Error(`no release archive for ${process.platform}-${process.arch}`);
  }
  const base = `${releases}/v${RELEASE}`;
  const folder = `nats-server-v${RELEASE}-${process.platform}-${architecture}`;
  const archive = `${folder}.tar.gz`;
  const sums = new TextDecoder().decode(await download(`${base}/SHA256SUMS`, 5_000));
  const expected = sums
    .split('\n')
    .find((line) => line.trim().endsWith(archive))
    ?.split(/\s+/)[0];
  if (!expected) throw new Error(`SHA256SUMS of v${RELEASE} does not list ${archive}`);
  const bytes = await download(`${base}/${archive}`, 180_000);
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== expected) throw new Error(`checksum of ${archive} is ${actual}, SHA256SUMS says ${expected}`);
  writeFileSync(join(scratch, archive), bytes);
  await runQuietly('tar', ['-xzf', archive], { cwd: scratch, timeoutMs: 60_000 });
  return join(scratch, folder, 'nats-server');
}

async function download(url: string, timeoutMs: number): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    const cause = (error as Error).cause;
    throw new Error(`${url}: ${cause instanceof Error ? cause.message : (error as Error).message}`);
  }
}

/**
 * The distribution's own package, from the mirror and with the keys that this machine already uses, but with package lists of
 * its own: nothing is installed, no system file is touched and root is not needed.
 */
export async function fromAptMirror(scratch: string): Promise<string> {
  if (!existsSync('/etc/os-release') || !existsSync('/etc/apt')) throw new Error('not a Debian-like system');
  const release = parseOsRelease(readFileSync('/etc/os-release', 'utf8'));
  // Stable releases carry servers that are too old; the rolling suite of the same mirror carries a current one.
  const ubuntu = release.ID === 'ubuntu';
  const [suite, components] = ubuntu ? ['devel', ['main', 'universe']] : ['sid', ['main']];
  const sources = distributionSources(readAptSources(), release.VERSION_CODENAME ?? '');
  if (sources.length === 0) throw new Error('no mirror of the distribution in /etc/apt');
  const failures: string[] = [];
  for (const [index, source] of sources.entries()) {
    try {
      return await fromMirror(join(scratch, `apt-${index}`), sourceForSuite(source, suite, components));
    } catch (error) {
      failures.push(`${suite} of ${source.uris.join(' ')}: ${(error as Error).message}`);
    }
  }
  throw new Error(failures.join('; '));
}

async function fromMirror(folder: string, sourceText: string): Promise<string> {
  for (const name of ['lists/partial', 'cache/archives/partial', 'out'])
    mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'only.sources'), sourceText);
  const settings = {
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::sourcelist': join(folder, 'only.sources'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '10',
    'Acquire::https::Timeout': '10',
    'APT::Sandbox::User': 'root',
    'APT::Update::Error-Mode': 'any',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const out = join(folder, 'out');
  await runQuietly('apt-get', [...options, '-q', 'update'], { cwd: out, timeoutMs: 120_000 });
  await runQuietly('apt-get', [...options, '-q', 'download', 'nats-server'], { cwd: out, timeoutMs: 120_000 });
  const archive = readdirSync(out).find((name) => name.endsWith('.deb'));
  if (!archive) throw new Error('apt-get download left no package');
  await runQuietly('dpkg', ['-x', archive, 'unpacked'], { cwd: out, timeoutMs: 60_000 });
  const candidates = ['usr/bin', 'usr/sbin'].map((place) => join(out, 'unpacked', place, 'nats-server'));
  const binary = candidates.find((path) => existsSync(path));
  if (!binary) throw new Error(`${archive} holds no nats-server`);
  return binary;
}

function readAptSources(): AptSource[] {
  const parts = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []),
  ];
  return files
    .filter((file) => /\.(list|sources)$/.test(file) && existsSync(file))
    .flatMap((file) => parseAptSources(file, readFileSync(file, 'utf8')));
}
