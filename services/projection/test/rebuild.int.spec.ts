import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { querySubject, type ToolstreamEvent } from '@toolstream/proto-events';
import { request } from '@toolstream/service-kit';
import { type NatsServer, type PostgresServer, startEphemeralNats, startEphemeralPostgres } from '@toolstream/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  connectTo,
  declare,
  expectedStates,
  publish,
  startTestProjection,
  Tables,
  type TestProjection,
  until,
} from './harness.ts';
import { interleaved, plannedTool, planOf, RunHistory, randomOf } from './histories.ts';

let postgres: PostgresServer;
let nats: NatsServer;
let nc: NatsConnection;
let url: string;
let tables: Tables;
let databases = 0;
let running: TestProjection[] = [];

beforeAll(async () => {
  postgres = await startEphemeralPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  nats = await startEphemeralNats();
  nc = await connectTo(nats);
  await declare(nc);
  url = await postgres.createDatabase(`d${++databases}`);
  tables = new Tables(url);
});
afterEach(async () => {
  await Promise.all(running.map((projection) => projection.stop()));
  running = [];
  await tables.end();
  await nc.close();
  await nats.stop();
});

async function start(env: Parameters<typeof startTestProjection>[2] = {}): Promise<TestProjection> {
  const projection = await startTestProjection({ nats }, url, env);
  running.push(projection);
  return projection;
}

async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((projection) => projection.stop()));
}

const status = (projection: TestProjection) => projection.app.statuses()[0]!;
const becomes = (projection: TestProjection, mode: string) =>
  until(
    async () => status(projection),
    (now) => now.mode === mode,
  );

function historiesOf(seed: number, count = 6): RunHistory[] {
  const random = randomOf(seed);
  return Array.from({ length: count }, () =>
    new RunHistory(random, planOf([plannedTool(0), plannedTool(1)])).succeed(2),
  );
}
const logOf = (seed: number, count?: number): ToolstreamEvent[] =>
  interleaved(randomOf(seed), historiesOf(seed, count));

async function project(log: readonly ToolstreamEvent[]): Promise<void> {
  await start();
  await tables.reached(await publish(nc, log));
  await stopAll();
}

/** The stream made anew under the old epoch with other content: what is left of a log whose server lost power. */
async function replaceLog(log: readonly ToolstreamEvent[]): Promise<void> {
  const jsm = await jetstreamManager(nc);
  const { config } = await jsm.streams.info('EVENTS_0');
  await jsm.streams.delete('EVENTS_0');
  await jsm.streams.add({ ...config, first_seq: 1 });
  await publish(nc, log);
}

async function runCommand(env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=toolstream', '--import', 'tsx', fileURLToPath(new URL('../src/rebuild.ts', import.meta.url))],
    { env: { ...process.env, NATS_URL: nats.url, DATABASE_URL: url, LOG_LEVEL: 'info', ...env } },
  );
  return stdout;
}

async function expectDiverged(projection: TestProjection, reason: RegExp): Promise<void> {
  await becomes(projection, 'diverged');
  expect(status(projection).reason).toMatch(reason);
  const ready = await projection.app.ready?.();
  expect(ready).toMatchObject({ ready: false, checks: { partition_0: expect.stringMatching(reason) } });
  expect(await projection.telemetry.metricsText()).toMatch(/projection_diverged\{partition="0"\} 1/);
}

describe('rows that are ahead of the log', () => {
  it('are found at start when the log ends before them, reported, and left as they are', async () => {
    const log = logOf(1);
    await project(log);
    const before = await tables.states();
    await replaceLog(log.slice(0, -10));
    const projection = await start();
    await expectDiverged(projection, /the log lost its tail/);
    expect(await tables.states()).toEqual(before);
    const reply = (await request(nc, querySubject('positions'), {}, { timeoutMs: 5_000 })) as { positions: unknown[] };
    expect(reply.positions).toMatchObject([{ seq: log.length }]);
  });

  it('are found at start when the lost tail has grown again', async () => {
    const log = logOf(2);
    await project(log);
    await replaceLog([...log.slice(0, -10), ...logOf(3, 10)]);
    await expectDiverged(await start(), /lost its tail and grew again/);
  });

  it('are found at start when the log is another incarnation', async () => {
    await project(logOf(4));
    const jsm = await jetstreamManager(nc);
    await jsm.streams.delete('EVENTS_0');
    await declare(nc);
    await expectDiverged(await start(), /epoch/);
  });

  it('are found when NATS comes back shorter under a projection that runs', async () => {
    const log = logOf(5);
    const projection = await start();
    await tables.reached(await publish(nc, log));
    await replaceLog(log.slice(0, 3));
    await nats.kill9();
    await nats.start();
    await expectDiverged(projection, /lost its tail/);
  });

  it('are not suspected where retention has purged what they were made from', async () => {
    const log = logOf(6);
    await project(log);
    const jsm = await jetstreamManager(nc);
    await jsm.streams.purge('EVENTS_0');
    const projection = await start();
    await becomes(projection, 'active');
    const more = logOf(7);
    await tables.reached(await publish(nc, more));
    expect(await tables.states()).toEqual(new Map([...expectedStates(log), ...expectedStates(more, log.length + 1)]));
  });
});

describe('a rebuild', () => {
  it('makes the rows anew beside the live ones, which go on, and swaps them', async () => {
    const log = logOf(11, 40);
    const projection = await start();
    await tables.reached(await publish(nc, log));
    await tables.pool.query(`update toolstream.tools set status = 'wrong', state = '{}'`);
    const more = logOf(12, 40);
    const [output] = await Promise.all([runCommand(), publish(nc, more)]);
    expect(output).toContain('the tables are rebuilt');
    const last = await publish(nc, logOf(13, 5));
    await becomes(projection, 'active');
    await tables.reached(last);
    expect(await tables.states()).toEqual(expectedStates([...log, ...more, ...logOf(13, 5)]));
    const { rows } = await tables.pool.query(
      `select nspname from pg_namespace where nspname like 'toolstream%' order by 1`,
    );
    expect(rows.map(({ nspname }) => nspname)).toEqual([
      'toolstream',
      expect.stringMatching(/^toolstream_before_\d{17}$/),
      'toolstream_migrations',
    ]);
    const kept = await tables.pool.query(
      `select count(*)::int as n from ${rows[1].nspname}.tools where status = 'wrong'`,
    );
    expect(kept.rows[0].n).toBeGreaterThan(0);
  });

  it('keeps ended runs whose events were purged', async () => {
    const histories = historiesOf(14);
    const log = histories.flatMap(({ events }) => events);
    await project(log);
    const purged = histories[2]!.run_id;
    const jsm = await jetstreamManager(nc);
    await jsm.streams.purge('EVENTS_0', { filter: `ts.evt.0.t1.app1.${purged}.*` });
    await runCommand();
    expect(await tables.states()).toEqual(expectedStates(log));
    const { rows } = await tables.pool.query('select distinct epoch from toolstream.runs');
    expect(rows).toHaveLength(1);
  });

  it('after a lost tail gives the log a new epoch, so that cursors into the lost part are void', async () => {
    const log = logOf(15);
    await project(log);
    const { epoch } = await tables.position();
    const rest = log.slice(0, -10);
    await replaceLog(rest);
    const projection = await start({ TOOLSTREAM_ON_LOST_TAIL: 'rebuild' });
    await becomes(projection, 'active');
    const position = await tables.reached(rest.length);
    expect(position.epoch).not.toBe(epoch);
    const jsm = await jetstreamManager(nc);
    expect((await jsm.streams.info('EVENTS_0')).config.metadata).toMatchObject({ 'toolstream.epoch': position.epoch });
    expect(await tables.states()).toEqual(expectedStates(rest));
    const last = await publish(nc, logOf(16));
    await tables.reached(last);
  });

  it('leaves the live tables as they are when it fails', async () => {
    const log = logOf(17);
    await project(log);
    await tables.pool.query(
      `insert into toolstream.positions select 3, epoch, seq, event_id, event_at, null, now() from toolstream.positions`,
    );
    await expect(runCommand()).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining('set it to 4') });
    expect(await tables.states()).toEqual(expectedStates(log));
  });
});
