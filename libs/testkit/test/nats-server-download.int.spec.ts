import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fromGithubRelease } from '../src/embedded/nats-server-download.ts';
import { scratchFolder } from './helpers.ts';

/** A release as it is published: an archive per platform, and one file with the checksums of them all. */
describe.skipIf(!['linux', 'darwin'].includes(process.platform))('the official release', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let server: Server;
  let releases: string;
  const files = new Map<string, Buffer>();

  beforeEach(async () => {
    folder = scratchFolder();
    server = createServer((request, response) => {
      const name = request.url?.split('/').at(-1) ?? '';
      const platform = /^nats-server-v[\d.]+-(.+)\.tar\.gz$/.exec(name)?.[1];
      const content = files.get(platform ? 'archive' : name);
      response.writeHead(content ? 200 : 404).end(content);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    releases = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    publish((sum) => sum);
  });

  afterEach(() => {
    server.close();
    folder.remove();
  });

  function publish(change: (sum: string) => string): void {
    const architecture = { x64: 'amd64', arm64: 'arm64', arm: 'arm7', ia32: '386', s390x: 's390x' }[
      process.arch as 'x64'
    ];
    const name = `nats-server-v2.15.1-${process.platform}-${architecture}`;
    mkdirSync(join(folder.path, name), { recursive: true });
    writeFileSync(join(folder.path, name, 'nats-server'), 'the binary');
    execFileSync('tar', ['-czf', 'archive.tar.gz', name], { cwd: folder.path });
    const archive = readFileSync(join(folder.path, 'archive.tar.gz'));
    const sum = createHash('sha256').update(archive).digest('hex');
    files.set('archive', archive);
    files.set('SHA256SUMS', Buffer.from(`${'0'.repeat(64)}  something-else.zip\n${change(sum)}  ${name}.tar.gz\n`));
  }

  function scratch(): string {
    const path = join(folder.path, 'scratch');
    mkdirSync(path, { recursive: true });
    return path;
  }

  test('is unpacked when its checksum is the published one', async () => {
    expect(readFileSync(await fromGithubRelease(scratch(), releases), 'utf8')).toBe('the binary');
  });

  test('is refused when its checksum is another', async () => {
    publish((sum) => sum.replaceAll(/\d/g, '7'));
    await expect(fromGithubRelease(scratch(), releases)).rejects.toThrow(
      /checksum of nats-server-.* is .*, SHA256SUMS says/,
    );
  });

  test('is refused when it lists no archive for this platform, or cannot be had', async () => {
    files.set('SHA256SUMS', Buffer.from('abc  other.zip\n'));
    await expect(fromGithubRelease(scratch(), releases)).rejects.toThrow(/does not list/);
    files.delete('SHA256SUMS');
    await expect(fromGithubRelease(scratch(), releases)).rejects.toThrow(/SHA256SUMS: HTTP 404/);
  });
});
