import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@toolstream/testkit';
import { Redis } from 'ioredis';
import type { Cleanup } from '../cleanup.ts';
import { temporaryFolder } from '../servers.ts';

const READY_MS = 10_000;
const STOP_MS = 5_000;

/** A Redis that appends every write to its file and syncs that every second, as it is kept when its data matters. */
export async function startRedis(cleanup: Cleanup, file: string): Promise<{ readonly port: number }> {
  const folder = await temporaryFolder(cleanup);
  const port = await freePort();
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'everysec',
    // A snapshot now and then would be a second record of the same, taken while others are measured.
    save: '',
    'maxmemory-policy': 'noeviction',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(file, options, { stdio: 'ignore' });
  const failed = once(child, 'error').then(([error]) => {
    throw error;
  });
  failed.catch(() => {}); // Told by the race below, if by anything.
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  // It reads from nobody and would not notice that we are gone.
  const killed = () => child.kill('SIGKILL');
  process.once('exit', killed);
  cleanup.add(child, async () => {
    process.off('exit', killed);
    if (child.pid === undefined) return;
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  });
  await Promise.race([untilReady(port), failed]);
  return { port };
}

async function untilReady(port: number): Promise<void> {
  const redis = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => {}); // Reported by the call that fails.
  try {
    for (const latest = performance.now() + READY_MS; ; await sleep(50)) {
      try {
        await redis.connect();
        await redis.ping();
        return;
      } catch (error) {
        if (performance.now() > latest) throw error;
      }
    }
  } finally {
    redis.disconnect();
  }
}
