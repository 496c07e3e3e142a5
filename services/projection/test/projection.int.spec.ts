import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { ToolstreamEvent } from '@toolstream/proto-events';
import { type NatsServer, type PostgresServer, startEphemeralNats, startEphemeralPostgres } from '@toolstream/testkit';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MIGRATIONS_FOLDER } from '../src/adapters/postgres.ts';
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

const SEED = 90_210;

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

async function start(env: Parameters<typeof startTestProjection>[2] = {}, instance?: string): Promise<TestProjection> {
  const projection = await startTestProjection({ nats }, url, env, instance);
  running.push(projection);
  return projection;
}

async function stop(projection: TestProjection): Promise<void> {
  running = running.filter((one) => one !== projection);
  await projection.stop();
}

const mode = (projection: TestProjection) => projection.app.statuses()[0]!.mode;
const becomes = (projection: TestProjection, wanted: string) =>
  until(
    async () => mode(projection),
    (now) => now === wanted,
  );

function logOf(seed: number, runs: number, steps = 120): ToolstreamEvent[] {
  const random = randomOf(seed);
  const histories = Array.from({ length: runs }, (_, i) => {
    const tools = Array.from({ length: 1 + (i % 5) }, (_, index) =>
      plannedTool(index, random() < 0.2 ? { approval_policy: 'always' } : {}),
    );
    return new RunHistory(random, planOf(tools), { tenant: `t${i % 2}` }).play(steps);
  });
  return interleaved(random, histories);
}

/** Publishes in bursts with pauses, so that much of it happens while a test does harm. */
async function publishSlowly(log: readonly ToolstreamEvent[], parts: number, pauseMs: number): Promise<number> {
  let last = 0;
  const size = Math.ceil(log.length / parts);
  for (let at = 0; at < log.length; at += size) {
    last = await publish(nc, log.slice(at, at + size));
    await delay(pauseMs);
  }
  return last;
}

async function expectRowsToBeTheFold(log: readonly ToolstreamEvent[]): Promise<void> {
  await tables.reached(log.length);
  expect(await tables.states()).toEqual(expectedStates(log));
}

describe('the rows', () => {
  it('equal the fold of the log, whatever the histories, the cuts and how often it begins again', async () => {
    const log: ToolstreamEvent[] = [];
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1_000_000),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom('1', '3', '17', '400'),
        fc.boolean(),
        async (seed, runs, batch, again) => {
          const more = logOf(seed, runs);
          log.push(...more);
          const projection = await start({ TOOLSTREAM_PROJECTION_BATCH: batch, TOOLSTREAM_PROJECTION_PACE_MS: '0' });
          const published = publish(nc, more);
          if (again) {
            // Another consumer from further back: everything since is delivered a second time.
            await tables.reached(log.length - more.length + 1);
            const jsm = await jetstreamManager(nc);
            await jsm.consumers.delete('EVENTS_0', 'projection');
          }
          await published;
          await expectRowsToBeTheFold(log);
          await stop(projection);
        },
      ),
      { numRuns: 8, seed: SEED },
    );
  });

  it('carry columns that agree with their state', async () => {
    const log = logOf(5, 6);
    await start();
    await publish(nc, log);
    await tables.reached(log.length);
    const { rows } = await tables.pool.query(
      `select count(*)::int as n from toolstream.runs r where
         r.status <> r.state->>'status' or r.seq <> (r.state->>'seq')::bigint or r.app <> r.state->>'app'
         or r.ended_at is distinct from (r.state->>'ended_at')::timestamptz
         or r.accepted_at <> (r.state->>'accepted_at')::timestamptz
         or r.tools_total <> (select count(*) from toolstream.tools t where t.run_id = r.run_id)
         or r.tools_ended <> (select count(*) from toolstream.tools t where t.run_id = r.run_id
           and t.status in ('succeeded', 'failed', 'cancelled', 'skipped', 'denied'))`,
    );
    expect(rows[0].n).toBe(0);
  });

  it('keep what a tool prints exactly, also what Postgres text cannot hold', async () => {
    const history = new RunHistory(
      randomOf(1),
      planOf([plannedTool(0, { name: 'n\0ame', arguments: { a: '\ud800' } })]),
    );
    history.advance();
    history.start(0);
    history.of(0, 'tool.output.v1', { channel: 'stdout', text: 'a\0b\ud800c' });
    await start();
    await publish(nc, history.events);
    await expectRowsToBeTheFold(history.events);
  });

  it('pass over an event that cannot be read, and go on behind it', async () => {
    const log = logOf(8, 2, 40);
    const projection = await start();
    await publish(nc, log.slice(0, 5));
    const broken = { ...log[5]!, time: 'soon' } as ToolstreamEvent;
    const last = await publish(nc, [broken, ...log.slice(6)]);
    await tables.reached(last);
    expect(await projection.telemetry.metricsText()).toMatch(/unreadable_events_total\{partition="0"\} 1/);
  });

  it('begin anew when a purged run is accepted again under its id, with fewer tools', async () => {
    const random = randomOf(9);
    const first = new RunHistory(random, planOf([plannedTool(0), plannedTool(1), plannedTool(2)])).succeed();
    await start();
    await tables.reached(await publish(nc, first.events));
    const jsm = await jetstreamManager(nc);
    await jsm.streams.purge('EVENTS_0');
    const second = new RunHistory(random, planOf([plannedTool(0)]), { run_id: first.run_id }).succeed();
    await tables.reached(await publish(nc, second.events));
    expect(await tables.states()).toEqual(expectedStates(second.events, first.events.length + 1));
  });

  it('are projected by partition, each at its own position', async () => {
    await declare(nc, 2);
    await start({ TOOLSTREAM_PARTITIONS: '2' });
    const random = randomOf(3);
    const zero = new RunHistory(random, planOf([plannedTool(0)])).succeed();
    const run_id = zero.run_id.replace(/^0-/, '1-');
    const one = new RunHistory(random, planOf([plannedTool(0), plannedTool(1)]), { run_id }).succeed();
    await publish(nc, [...zero.events, ...one.events]);
    await tables.reached(zero.events.length, 0);
    await tables.reached(one.events.length, 1);
    const states = await tables.states();
    expect([...states.values()].map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(
      [zero.events.length, one.events.length].sort((a, b) => a - b),
    );
  });
});

describe('a projection that is interrupted', () => {
  it('goes on exactly where it was after Postgres is killed, several times', async () => {
    const log = logOf(11, 30);
    await start({ TOOLSTREAM_PROJECTION_BATCH: '50' });
    const published = publishSlowly(log, 20, 60);
    for (let kill = 0; kill < 3; kill++) {
      await tables.reached(Math.floor((log.length * (kill + 1)) / 6));
      await postgres.kill9();
      await delay(200);
      await postgres.start();
    }
    await published;
    await expectRowsToBeTheFold(log);
  });

  it('goes on exactly where it was after NATS is killed, several times', async () => {
    const log = logOf(12, 30);
    await start({ TOOLSTREAM_PROJECTION_BATCH: '50' });
    for (let part = 0; part < 4; part++) {
      const size = Math.ceil(log.length / 4);
      await publish(nc, log.slice(part * size, (part + 1) * size));
      await nats.kill9();
      await nats.start();
      await until(() => nc.flush().then(() => true), Boolean);
    }
    await expectRowsToBeTheFold(log);
  });

  it('goes on exactly where it was after it is killed itself, between a commit and its acknowledgement too', async () => {
    const log = logOf(13, 30);
    const published = publishSlowly(log, 30, 50);
    let exits = 0;
    for (let kill = 0; kill < 4; kill++) {
      const child = fork(new URL('../src/main.ts', import.meta.url), {
        execArgv: ['--conditions=toolstream', '--import', 'tsx'],
        env: {
          ...process.env,
          NATS_URL: nats.url,
          DATABASE_URL: url,
          TOOLSTREAM_INSTANCE: 'killed',
          TOOLSTREAM_PROJECTION_BATCH: '20',
          TOOLSTREAM_PROJECTION_PACE_MS: '0',
          LOG_LEVEL: 'silent',
        },
        stdio: 'ignore',
      });
      const gone = once(child, 'exit').then(() => exits++);
      await tables.reached(Math.floor((log.length * (kill + 1)) / 5));
      child.kill('SIGKILL');
      await gone;
    }
    expect(exits).toBe(4);
    await published;
    await start({}, 'killed');
    await expectRowsToBeTheFold(log);
  });

  it('goes on when its consumer is deleted', async () => {
    const log = logOf(14, 10);
    const jsm = await jetstreamManager(nc);
    await start();
    const half = Math.floor(log.length / 2);
    await publish(nc, log.slice(0, half));
    await tables.reached(half);
    await jsm.consumers.delete('EVENTS_0', 'projection');
    await publish(nc, log.slice(half));
    await expectRowsToBeTheFold(log);
  });

  it('does not trust the acknowledgement floor: what was acknowledged and not committed is folded', async () => {
    const log = logOf(15, 4);
    await publish(nc, log);
    const jsm = await jetstreamManager(nc);
    await jsm.consumers.add('EVENTS_0', { durable_name: 'projection', ack_policy: 'all', deliver_policy: 'new' });
    await start();
    await expectRowsToBeTheFold(log);
  });
});

it('several that start at once on an empty database make the tables once', async () => {
  const names = ['a', 'b', 'c', 'd'];
  const all = await Promise.all(names.map((name) => start({}, name)));
  await until(
    async () => all.map(mode).sort(),
    (modes) => modes.join() === 'active,standby,standby,standby',
  );
  const { rows } = await tables.pool.query('select count(*)::int as n from toolstream_migrations.__drizzle_migrations');
  expect(rows[0].n).toBe(readMigrationFiles({ migrationsFolder: MIGRATIONS_FOLDER }).length);
});

describe('two projections', () => {
  it('take turns: one is active, the other stands by and takes over at once when it stops', async () => {
    const log = logOf(21, 20);
    const first = await start({}, 'a');
    await becomes(first, 'active');
    const second = await start({}, 'b');
    await becomes(second, 'standby');
    expect((await second.app.ready?.())?.ready).toBe(true);
    const half = Math.floor(log.length / 2);
    await publish(nc, log.slice(0, half));
    await tables.reached(half);
    expect((await tables.position()).holder).toMatch(/^a\//);
    await stop(first);
    await publish(nc, log.slice(half));
    await becomes(second, 'active');
    await expectRowsToBeTheFold(log);
  });

  it('never write both: one that was taken over in mid-batch rolls back, acknowledges nothing and stands by', async () => {
    const log = logOf(22, 10);
    const half = Math.floor(log.length / 2);
    const old = await start({ TOOLSTREAM_PROJECTION_LEASE_MS: '3000' }, 'old');
    await publish(nc, log.slice(0, half));
    await tables.reached(half);
    const before = await tables.states();

    // Somebody holds the position's row while the old one has a batch in hand, and takes it.
    const client = new pg.Client(url);
    await client.connect();
    await client.query('begin');
    await client.query('select 1 from toolstream.positions for update');
    await publish(nc, log.slice(half));
    await until(
      async () => (await client.query(`select 1 from pg_stat_activity where wait_event_type = 'Lock'`)).rowCount,
      (waiting) => waiting === 1,
    );
    await client.query(`update toolstream.positions set holder = 'new/1', updated_at = now()`);
    await client.query('commit');
    await client.end();

    await becomes(old, 'standby');
    expect(await tables.position()).toMatchObject({ seq: half, holder: 'new/1' });
    expect(await tables.states()).toEqual(before);
    expect(await old.telemetry.metricsText()).toMatch(/interruptions_total\{partition="0",cause="superseded"\} 1/);

    // The new one is never heard of: after the lease the old one may go on, and nothing is missing or double.
    await expectRowsToBeTheFold(log);
  });

  it('do not take turns for ever when they share a name', async () => {
    const first = await start({}, 'same');
    await becomes(first, 'active');
    const second = await start({}, 'same');
    await becomes(second, 'active');
    await becomes(first, 'standby');
    await delay(2_500);
    expect([mode(first), mode(second)]).toEqual(['standby', 'active']);
    const log = logOf(23, 3, 30);
    await publish(nc, log);
    await expectRowsToBeTheFold(log);
  });
});
