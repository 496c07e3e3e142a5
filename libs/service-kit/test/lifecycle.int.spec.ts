import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type NatsServer, startEphemeralNats } from '@toolstream/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectNats, createLogger, request } from '../src/index.ts';

const FIXTURE = fileURLToPath(new URL('./fixtures/service.ts', import.meta.url));
const PARENT = fileURLToPath(new URL('./fixtures/parent.ts', import.meta.url));
let nats: NatsServer;
const started: ChildProcess[] = [];

beforeAll(async () => {
  nats = await startEphemeralNats();
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => nats?.stop());

interface Ready {
  type: string;
  name: string;
  instance: string;
  port: number;
}

function start(env: Record<string, string> = {}, file = FIXTURE) {
  const child = fork(file, {
    execArgv: ['--conditions=toolstream', '--import', 'tsx'],
    env: { PATH: process.env.PATH, NATS_URL: nats.url, TOOLSTREAM_HEALTH_PORT: '0', ...env },
    silent: true,
  });
  started.push(child);
  let output = '';
  child.stdout?.on('data', (text) => {
    output += text;
  });
  child.stderr?.on('data', (text) => {
    output += text;
  });
  const ready = new Promise<Ready>((resolve) => child.once('message', (message) => resolve(message as Ready)));
  const drained = [child.stdout, child.stderr].map((stream) => stream && once(stream, 'end'));
  const exit = once(child, 'exit').then(async ([code]) => {
    await Promise.all(drained);
    return code as number | null;
  });
  return { child, ready, exit, output: () => output };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const get = async (port: number, path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, text: await response.text() };
};

describe('a service process', () => {
  it('tells its parent when it is ready, and serves health, readiness and metrics', async () => {
    const { ready } = start();
    const { type, name, instance, port } = await ready;
    expect({ type, name }).toEqual({ type: 'ready', name: 'fixture' });
    expect(instance).toMatch(/^fixture-\d+$/);
    expect(await get(port, '/healthz')).toMatchObject({ status: 200 });
    const readyz = await get(port, '/readyz');
    expect(readyz.status).toBe(200);
    expect(JSON.parse(readyz.text)).toEqual({
      ready: true,
      checks: { fixture: true, nats: true, draining: false },
    });
    const client = await connectNats(nats.url, 'test', createLogger({ name: 'test', level: 'silent' }));
    await request(client, 'ts.cmd.echo', {}, { timeoutMs: 2_000 });
    await client.close();
    const { text } = await get(port, '/metrics');
    expect(text).toContain('nats_connected 1');
    expect(text).toContain('process_resident_memory_bytes');
    expect(text).toMatch(/toolstream_command_duration_seconds_count\{.*endpoint="echo".*\} 1/);
  });

  it('stops once on SIGTERM, however often it is sent, and exits 0', async () => {
    const { child, ready, exit, output } = start({ STOP_MS: '200' });
    await ready;
    child.kill('SIGTERM');
    child.kill('SIGTERM');
    child.kill('SIGINT');
    expect(await exit).toBe(0);
    expect(output().match(/"own stop"/g)).toHaveLength(1);
    expect(output()).toContain('"registered stop"');
  });

  it('exits 1 when stopping takes longer than the deadline', async () => {
    const { child, ready, exit, output } = start({ STOP_MS: '60000' });
    await ready;
    child.kill('SIGTERM');
    expect(await exit).toBe(1);
    expect(output()).toContain('did not stop in time');
  });

  it('stops by itself when its parent is gone', async () => {
    const { child, ready, exit, output } = start();
    await ready;
    child.disconnect();
    expect(await exit).toBe(0);
    expect(output()).toContain('parent gone');
  });

  it('stops by itself when its parent is killed, though its output has nowhere to go any more', async () => {
    const { child, ready } = start({}, PARENT);
    const { pid } = (await ready) as unknown as { pid: number };
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false);
  });

  it('can be stopped while it still starts', async () => {
    const { child, exit, output } = start({ START: 'hang' });
    await expect.poll(output, { timeout: 20_000 }).toContain('connected to NATS');
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(output()).toContain('"registered stop"');
  });

  it('can be stopped while it waits for a NATS server that is not there', async () => {
    const { child, exit, output } = start({ NATS_URL: 'nats://someone:s3cret@127.0.0.1:9' });
    await expect.poll(output, { timeout: 20_000 }).toContain('not reachable yet');
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(output()).not.toContain('s3cret');
  });

  it('exits 78 with every problem of its configuration in one list', async () => {
    const { exit, output } = start({ LOG_LEVEL: 'loud', TOOLSTREAM_PARTITIONS: 'none' });
    expect(await exit).toBe(78);
    expect(output()).toContain('LOG_LEVEL');
    expect(output()).toContain('TOOLSTREAM_PARTITIONS');
  });

  it('exits 1 when its start fails, after closing what it had opened', async () => {
    const { exit, output } = start({ START: 'throw' });
    expect(await exit).toBe(1);
    expect(output()).toContain('cannot start');
    expect(output()).toContain('"registered stop"');
  });

  it('exits 1 on a rejection that nobody handles', async () => {
    const { exit, output } = start({ START: 'reject-later' });
    expect(await exit).toBe(1);
    expect(output()).toContain('nobody waits');
  });
});

describe('a service whose NATS server dies', () => {
  it('reports itself as not ready, survives, and answers again after the restart', async () => {
    const own = await startEphemeralNats();
    try {
      const { ready, child } = start({ NATS_URL: own.url });
      const { port } = await ready;
      await own.kill9();
      await expect.poll(async () => (await get(port, '/readyz')).status, { timeout: 5_000 }).toBe(503);
      expect((await get(port, '/healthz')).status).toBe(200);
      await own.restart();
      await expect.poll(async () => (await get(port, '/readyz')).status, { timeout: 10_000 }).toBe(200);
      const client = await connectNats(own.url, 'test', createLogger({ name: 'test', level: 'silent' }));
      expect(await request(client, 'ts.cmd.echo', { n: 1 }, { timeoutMs: 2_000 })).toEqual({
        ok: true,
        body: { n: 1 },
      });
      await client.close();
      expect(child.exitCode).toBeNull();
    } finally {
      await own.stop();
    }
  });

  it('still stops in time while the server is away', async () => {
    const own = await startEphemeralNats();
    try {
      const { ready, child, exit } = start({ NATS_URL: own.url });
      await ready;
      await own.kill9();
      child.kill('SIGTERM');
      expect(await exit).toBe(0);
    } finally {
      await own.stop();
    }
  });
});
