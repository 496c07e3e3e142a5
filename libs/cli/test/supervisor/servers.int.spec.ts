import { fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { processFacts } from '@toolstream/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, restartOf, tiny, workshop } from './helpers.ts';

async function inNats<T>(
  url: string,
  work: (connection: Awaited<ReturnType<typeof connect>>) => Promise<T>,
): Promise<T> {
  const connection = await connect({ servers: url });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

describe('the supervisor and its servers', () => {
  let shop: ReturnType<typeof workshop>;

  beforeEach(() => {
    shop = workshop();
  });

  afterEach(() => shop.end());

  test('brings NATS back within 2 seconds after a kill -9, on the same port and with what it had acknowledged', async () => {
    const stack = await shop.start({
      databaseUrl: 'postgres://127.0.0.1:1/none',
      services: () => [tiny('executor-1')],
    });
    const { natsUrl } = stack;
    await inNats(natsUrl, async (connection) => {
      const manager = await jetstreamManager(connection);
      await manager.streams.add({ name: 'KEPT', subjects: ['kept'] });
      await jetstream(connection).publish('kept', 'before the crash');
    });
    const first = shop.pidFile('nats-1');
    expect(first).toBe(stack.pidOf('nats-1'));
    const back = restartOf(stack, 'nats-1');
    const begun = performance.now();
    process.kill(first, 'SIGKILL');
    expect(await back).toBe(shop.pidFile('nats-1'));
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(stack.natsUrl).toBe(natsUrl);
    const message = await inNats(natsUrl, async (connection) =>
      (await jetstreamManager(connection)).streams.getMessage('KEPT', { last_by_subj: 'kept' }),
    );
    expect(message?.string()).toBe('before the crash');
    expect(shop.pidFile('executor-1')).toBe(stack.pidOf('executor-1'));
  });

  test('brings Postgres back within 2 seconds after a kill -9 of its postmaster', async () => {
    const stack = await shop.start({ natsUrl: 'nats://127.0.0.1:1', services: () => [] });
    const first = shop.pidFile('postgres-1');
    expect(processFacts(first)?.command).toContain(join(shop.dataDir, 'postgres', 'pgdata'));
    const back = restartOf(stack, 'postgres-1');
    const begun = performance.now();
    process.kill(first, 'SIGKILL');
    expect(await back).toBe(shop.pidFile('postgres-1'));
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(stack.restartCount('postgres-1')).toBe(1);
  });

  test('finds its data, its addresses and its secret again in the next start', async () => {
    const first = await shop.start({ services: () => [] });
    const { natsUrl, databaseUrl, jwtSecret } = first;
    expect(jwtSecret).toHaveLength(43);
    expect(statSync(join(shop.dataDir, 'jwt-secret')).mode & 0o777).toBe(0o600);
    expect(shop.readJson('run/stack.json')).toMatchObject({ nats_url: natsUrl, database_url: databaseUrl });
    await first.stop();
    const second = await shop.start({ services: () => [] });
    expect([second.natsUrl, second.databaseUrl, second.jwtSecret]).toEqual([natsUrl, databaseUrl, jwtSecret]);
  });

  test('makes no secret where the parts are not its own', async () => {
    const stack = await shop.start({
      natsUrl: 'nats://127.0.0.1:1',
      databaseUrl: 'postgres://127.0.0.1:1/x',
      services: () => [],
    });
    expect(stack.jwtSecret).toBeUndefined();
  });

  test('nothing that a killed supervisor left behind blocks the next start', async () => {
    const fixture = join(import.meta.dirname, 'fixtures', 'stack-until-killed.ts');
    const owner = fork(fixture, [shop.dataDir], { execArgv: ['--conditions=toolstream', '--import', 'tsx'] });
    const [started] = (await once(owner, 'message')) as [{ pids: number[]; edges: string[] }];
    const [nats, postgres, ...services] = started.pids as [number, number, ...number[]];
    const gone = once(owner, 'exit');
    owner.kill('SIGKILL');
    await gone;
    await eventually(() => services.every((pid) => processFacts(pid) === undefined), 3_000);
    expect([processFacts(nats), processFacts(postgres)]).not.toContain(undefined);

    const stack = await shop.start({
      port: Number(new URL(started.edges[0]!).port),
      services: (facts) => [tiny('edge-1', '', { PORT: String(facts.edgePorts[0]) })],
    });
    expect([processFacts(nats), processFacts(postgres)]).toEqual([undefined, undefined]);
    expect(stack.edgeUrls).toEqual(started.edges);
    expect(shop.said.join('\n')).toContain('Ended what an earlier start left running: nats-1, postgres-1.');
  });
});
