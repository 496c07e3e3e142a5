import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PostgresServer, startEphemeralPostgres, startPostgres } from '@toolstream/testkit';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { processFacts } from '../src/embedded/processes.ts';
import { leaveServerBehind, scratchFolder } from './helpers.ts';

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('a Postgres of our own', () => {
  let folder: ReturnType<typeof scratchFolder>;
  const running: PostgresServer[] = [];
  const started = (server: PostgresServer) => {
    running.push(server);
    return server;
  };

  beforeEach(() => {
    folder = scratchFolder();
  });

  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop();
    folder.remove();
  });

  test('keeps what it committed over a kill -9 with sessions open, on the same port', async () => {
    const server = started(await startPostgres({ dataDir: folder.path }));
    await query(server.url, "CREATE TABLE kept AS SELECT 'before the crash' AS text");
    const busy = new pg.Client({ connectionString: server.url });
    busy.on('error', () => {});
    await busy.connect();
    const sleeping = busy.query('SELECT pg_sleep(30)').catch((error: Error) => error);
    await server.kill9();
    await server.restart();
    expect(await query(server.url, 'SELECT text FROM kept')).toEqual([{ text: 'before the crash' }]);
    expect(await sleeping).toBeInstanceOf(Error);
  });

  test('finds its data and keeps its password in a second start', async () => {
    const first = started(await startPostgres({ dataDir: folder.path }));
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    await first.stop();
    const second = started(await startPostgres({ dataDir: folder.path, port: first.port }));
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
    expect(statSync(join(folder.path, 'password')).mode & 0o777).toBe(0o600);
  });

  test('turns away who does not know the password', async () => {
    const server = started(await startPostgres({ dataDir: folder.path }));
    const stranger = new URL(server.url);
    stranger.password = 'guess';
    await expect(query(stranger.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  });

  test('starts over a pid file whose pid belongs to somebody else by now', async () => {
    const first = started(await startPostgres({ dataDir: folder.path }));
    const { uid, gid } = statSync(join(folder.path, 'pgdata'));
    const pidFile = join(folder.path, 'pgdata', 'postmaster.pid');
    const content = readFileSync(pidFile, 'utf8');
    await first.kill9();
    // Root may start it as the database's user, whom Postgres would take for its own; others are that user anyway.
    const stranger = spawn('sleep', ['30'], { uid, gid, stdio: 'ignore' });
    try {
      writeFileSync(pidFile, content.replace(/^\d+/, String(stranger.pid)));
      const second = started(await startPostgres({ dataDir: folder.path }));
      expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(stranger.exitCode).toBeNull();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('starts over data whose making was cut short', async () => {
    mkdirSync(join(folder.path, 'pgdata', 'base'), { recursive: true });
    const server = started(await startPostgres({ dataDir: folder.path }));
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('refuses data of another Postgres version and says what to do', async () => {
    await (await startPostgres({ dataDir: folder.path })).stop();
    writeFileSync(join(folder.path, 'pgdata', 'PG_VERSION'), '9\n');
    await expect(startPostgres({ dataDir: folder.path })).rejects.toThrow(
      /postgres_data_version.*written by Postgres 9.*delete the folder/,
    );
  });

  test('refuses data that a living owner serves, and takes it over once that owner is gone', async () => {
    const left = await leaveServerBehind('postgres', folder.path);
    await expect(startPostgres({ dataDir: folder.path })).rejects.toThrow(
      `data_in_use: ${folder.path} is served by process ${left.pid}, started by process ${left.ownerPid}`,
    );
    await left.killOwner();
    expect(processFacts(left.pid)).toBeDefined();
    const server = started(await startPostgres({ dataDir: folder.path, port: left.port }));
    expect(processFacts(left.pid)).toBeUndefined();
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('tells the pid of the postmaster', async () => {
    const server = started(await startEphemeralPostgres());
    const [row] = await query(server.url, "SELECT pg_read_file('postmaster.pid') AS file");
    expect(Number(String(row?.file).split('\n')[0])).toBe(server.pid);
  });

  test('makes databases on demand and finds them made', async () => {
    const server = started(await startEphemeralPostgres());
    await query(await server.createDatabase('my-own_1'), 'CREATE TABLE here AS SELECT 1 AS one');
    expect(await query(await server.createDatabase('my-own_1'), 'SELECT one FROM here')).toEqual([{ one: 1 }]);
    await expect(server.createDatabase('a"; DROP')).rejects.toThrow(/bad_database_name/);
  });

  test('sorts and stores UTF-8 on a machine without locales', async () => {
    const server = started(await startEphemeralPostgres());
    expect(await query(server.url, "SELECT upper('ünï') AS up")).toEqual([{ up: 'ÜNÏ' }]);
  });

  test('clears away an ephemeral server whose owner was killed', async () => {
    const left = await leaveServerBehind('ephemeral postgres');
    await left.killOwner();
    expect(processFacts(left.pid)).toBeDefined();
    started(await startEphemeralPostgres());
    expect(processFacts(left.pid)).toBeUndefined();
    expect(existsSync(left.dataDir)).toBe(false);
  });

  test('leaves nothing behind after an ephemeral stop', async () => {
    const server = await startEphemeralPostgres();
    await server.stop();
    expect(existsSync(server.dataDir)).toBe(false);
  });

  test.runIf(process.getuid?.() === 0)('serves data in a place that only root can enter', async () => {
    chmodSync(folder.path, 0o700);
    const server = started(await startPostgres({ dataDir: join(folder.path, 'postgres') }));
    expect(server.dataDir).toMatch(/^\/var\/lib\/toolstream\//);
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await server.stop();
    rmSync(server.dataDir, { recursive: true });
  });
});
