import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { freePort, processFacts } from '@toolstream/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, NO_SERVERS, restartOf, tiny, workshop } from './helpers.ts';

describe('the supervisor and its services', () => {
  let shop: ReturnType<typeof workshop>;

  beforeEach(() => {
    shop = workshop();
  });

  afterEach(() => shop.end());

  test('writes the pid of the node process itself, and takes the file away on a clean stop', async () => {
    const stack = await shop.start({ ...NO_SERVERS, services: () => [tiny('executor-1'), tiny('executor-2')] });
    expect(shop.pidFile('executor-2')).toBe(stack.pidOf('executor-2'));
    expect(processFacts(shop.pidFile('executor-1'))?.command).toContain('tiny-service.ts');
    await stack.stop();
    expect(readdirSync(join(shop.dataDir, 'run'))).toEqual([]);
    expect(existsSync(join(shop.dataDir, 'stopped-executor-1.json'))).toBe(true);
  });

  test('starts again within 2 seconds what was killed, and counts it', async () => {
    const stack = await shop.start({ ...NO_SERVERS, services: () => [tiny('executor-1')] });
    const first = stack.pidOf('executor-1')!;
    const back = restartOf(stack, 'executor-1');
    const begun = performance.now();
    process.kill(first, 'SIGKILL');
    expect(await back).not.toBe(first);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(shop.pidFile('executor-1')).toBe(stack.pidOf('executor-1'));
    expect(stack.restartCount('executor-1')).toBe(1);
    expect(shop.said.join('\n')).toContain('executor-1 was killed by SIGKILL');
  });

  test('keeps starting what keeps being killed', async () => {
    const stack = await shop.start({ ...NO_SERVERS, services: () => [tiny('executor-1')] });
    for (let round = 1; round <= 4; round++) {
      const back = restartOf(stack, 'executor-1');
      process.kill(stack.pidOf('executor-1')!, 'SIGKILL');
      await back;
      expect(stack.restartCount('executor-1')).toBe(round);
    }
  });

  test('leaves the dead alone when restarts are off, until it is told to start one', async () => {
    const stack = await shop.start({ ...NO_SERVERS, restart: false, services: () => [tiny('executor-1')] });
    const ended = new Promise<unknown>((resolve) => stack.once('exit', resolve));
    process.kill(stack.pidOf('executor-1')!, 'SIGKILL');
    expect(await ended).toEqual({ name: 'executor-1', code: null, signal: 'SIGKILL' });
    expect(stack.pidOf('executor-1')).toBeUndefined();
    expect(existsSync(join(shop.dataDir, 'run', 'executor-1.pid'))).toBe(false);
    await stack.start('executor-1');
    expect(processFacts(stack.pidOf('executor-1')!)).toBeDefined();
  });

  test('ends what a killed service had started itself', async () => {
    const stack = await shop.start({
      ...NO_SERVERS,
      restart: false,
      services: () => [tiny('executor-1', 'with-child')],
    });
    const child = shop.readJson('child-executor-1.json');
    expect(processFacts(child)).toBeDefined();
    process.kill(stack.pidOf('executor-1')!, 'SIGKILL');
    await eventually(() => processFacts(child) === undefined, 2_000);
  });

  test('says what a service said that does not get ready, and stops the others', async () => {
    const services = () => [tiny('executor-1'), tiny('orchestrator-1', 'ends-at-start')];
    await expect(shop.start({ ...NO_SERVERS, services })).rejects.toThrow(
      /orchestrator-1 ended with exit code 1 before it was ready[\s\S]*cannot reach the moon/,
    );
    expect(readdirSync(join(shop.dataDir, 'run'))).toEqual([]);
  });

  test('does not repeat a start that fails by its configuration', async () => {
    const services = () => [tiny('edge-1', 'bad-config')];
    await expect(shop.start({ ...NO_SERVERS, services })).rejects.toThrow(/exit code 78[\s\S]*PORT: is required/);
    expect(shop.said.join('\n')).not.toContain('Starting it again');
  });

  test('gives up on a service that never gets ready', async () => {
    const services = () => [tiny('executor-1', 'never-ready')];
    await expect(shop.start({ ...NO_SERVERS, services, restart: false, readyTimeoutMs: 300 })).rejects.toThrow(
      /executor-1 was not ready after 300 ms/,
    );
  });

  test('insists when a service does not stop when asked', async () => {
    const stack = await shop.start({ ...NO_SERVERS, graceMs: 200, services: () => [tiny('executor-1', 'stubborn')] });
    const pid = stack.pidOf('executor-1')!;
    await stack.stop();
    expect(processFacts(pid)).toBeUndefined();
  });

  test('does not wait for anyone once it is told to hurry', async () => {
    const stack = await shop.start({
      ...NO_SERVERS,
      graceMs: 30_000,
      services: () => [tiny('executor-1', 'stubborn')],
    });
    const begun = performance.now();
    const polite = stack.stop();
    await stack.stop({ force: true });
    await polite;
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test('stops what it has started when the start is given up', async () => {
    const giveUp = new AbortController();
    const services = () => [tiny('executor-1'), tiny('executor-2', 'never-ready')];
    const starting = shop.start({ ...NO_SERVERS, services, signal: giveUp.signal });
    setTimeout(() => giveUp.abort(), 400);
    await expect(starting).rejects.toThrow(/start_aborted/);
    expect(readdirSync(join(shop.dataDir, 'run'))).toEqual([]);
  });

  test('hands each service what it needs, and secrets to nobody else', async () => {
    const env = {
      PATH: process.env.PATH,
      SLOTS: '3',
      PORT: '1',
      DATABASE_URL: 'other',
      TOOLSTREAM_JWT_SECRET: 'theirs',
    };
    const stack = await shop.start({
      ...NO_SERVERS,
      env,
      jwtSecret: 'the secret of the edges, long enough',
      services: (facts) => [
        tiny('executor-1'),
        tiny('projection-1', '', { DATABASE_URL: facts.databaseUrl }),
        tiny('edge-1', '', { PORT: String(facts.edgePorts[0]), TOOLSTREAM_JWT_SECRET: facts.jwtSecret ?? '' }),
      ],
    });
    expect(shop.readJson('env-executor-1.json')).toMatchObject({
      SLOTS: '3',
      NATS_URL: NO_SERVERS.natsUrl,
      TOOLSTREAM_INSTANCE: 'executor-1',
      TOOLSTREAM_HEALTH_PORT: '0',
      TOOLSTREAM_DATA_DIR: shop.dataDir,
    });
    for (const secret of ['DATABASE_URL', 'TOOLSTREAM_JWT_SECRET', 'PORT']) {
      expect(shop.readJson('env-executor-1.json')).not.toHaveProperty(secret);
    }
    expect(shop.readJson('env-projection-1.json').DATABASE_URL).toBe(NO_SERVERS.databaseUrl);
    expect(shop.readJson('env-edge-1.json').TOOLSTREAM_JWT_SECRET).toBe('the secret of the edges, long enough');
    expect(await (await fetch(stack.edgeUrls[0]!)).text()).toBe('edge-1');
  });

  test('names every port that is taken before it starts anything', async () => {
    const port = await freePort();
    const holder = createServer().listen(port + 1, '127.0.0.1');
    try {
      await expect(shop.start({ natsPort: port + 1, port, edges: 2, services: () => [] })).rejects.toThrow(
        new RegExp(`port ${port + 1}, wanted by edge-2[\\s\\S]*set PORT[\\s\\S]*port ${port + 1}, wanted by nats-1`),
      );
      expect(readdirSync(join(shop.dataDir, 'run'))).toEqual([]);
    } finally {
      holder.close();
    }
  });

  test('refuses a second stack on the same data and tells the pid of the first', async () => {
    await shop.start({ ...NO_SERVERS, services: () => [tiny('executor-1')] });
    await expect(shop.start({ ...NO_SERVERS, services: () => [] })).rejects.toThrow(
      `data_dir_in_use: ${shop.dataDir} is in use by process ${process.pid}`,
    );
  });
});
