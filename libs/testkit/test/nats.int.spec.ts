import { existsSync } from 'node:fs';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type NatsServer, startEphemeralNats, startNats } from '@toolstream/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { processFacts } from '../src/embedded/processes.ts';
import { leaveServerBehind, scratchFolder } from './helpers.ts';

async function publish(server: NatsServer, text: string): Promise<number> {
  const connection = await connect({ servers: server.url });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'KEPT', subjects: ['kept.>'] });
  const { seq } = await jetstream(connection).publish('kept.one', text);
  await connection.close();
  return seq;
}

async function read(server: NatsServer, seq: number): Promise<string | undefined> {
  const connection = await connect({ servers: server.url });
  const message = await (await jetstreamManager(connection)).streams.getMessage('KEPT', { seq });
  await connection.close();
  return message?.string();
}

describe('a nats-server of our own', () => {
  let folder: ReturnType<typeof scratchFolder>;
  const running: NatsServer[] = [];
  const started = (server: NatsServer) => {
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

  test('keeps what it acknowledged over a kill -9, on the same port', async () => {
    const server = started(await startEphemeralNats());
    const seq = await publish(server, 'before the crash');
    const firstPid = server.pid;
    await server.kill9();
    expect(server.pid).toBeUndefined();
    await server.restart();
    expect(server.pid).not.toBe(firstPid);
    expect(await read(server, seq)).toBe('before the crash');
  });

  test('finds its data again in a second start', async () => {
    const first = started(await startNats({ dataDir: folder.path }));
    const seq = await publish(first, 'kept');
    await first.stop();
    const second = started(await startNats({ dataDir: folder.path }));
    expect(await read(second, seq)).toBe('kept');
  });

  test('reports an end that nobody asked for, and only that', async () => {
    const server = started(await startEphemeralNats());
    const ends: unknown[] = [];
    const reported = new Promise<void>((resolve) => {
      server.onUnexpectedExit((exit) => {
        ends.push(exit.signal);
        resolve();
      });
    });
    await server.restart();
    process.kill(server.pid!, 'SIGKILL');
    await reported;
    expect(ends).toEqual(['SIGKILL']);
  });

  test('refuses data that a living owner serves, and takes it over once that owner is gone', async () => {
    const left = await leaveServerBehind('nats', folder.path);
    await expect(startNats({ dataDir: folder.path })).rejects.toThrow(
      `data_in_use: ${folder.path} is served by process ${left.pid}, started by process ${left.ownerPid}`,
    );
    await left.killOwner();
    expect(processFacts(left.pid)).toBeDefined();
    const server = started(await startNats({ dataDir: folder.path, port: left.port }));
    expect(processFacts(left.pid)).toBeUndefined();
    expect(server.port).toBe(left.port);
  });

  test('says what the server said when it does not start', async () => {
    const holder = started(await startEphemeralNats());
    await expect(startNats({ dataDir: folder.path, port: holder.port })).rejects.toThrow(
      /nats_start_failed[\s\S]*address already in use/,
    );
  });

  test('clears away an ephemeral server whose owner was killed', async () => {
    const left = await leaveServerBehind('ephemeral nats');
    await left.killOwner();
    expect(processFacts(left.pid)).toBeDefined();
    started(await startEphemeralNats());
    expect(processFacts(left.pid)).toBeUndefined();
    expect(existsSync(left.dataDir)).toBe(false);
  });

  test('leaves nothing behind after an ephemeral stop', async () => {
    const server = await startEphemeralNats();
    await server.stop();
    expect(existsSync(server.dataDir)).toBe(false);
  });

  test('limits the size of a message and of its store', async () => {
    const server = started(await startEphemeralNats({ maxPayload: 2_048, maxFileStore: 1 << 20 }));
    const connection = await connect({ servers: server.url });
    expect(connection.info?.max_payload).toBe(2_048);
    const account = await (await jetstreamManager(connection)).getAccountInfo();
    await connection.close();
    expect(account.limits.max_storage === -1 || account.limits.max_storage === 1 << 20).toBe(true);
  });
});
