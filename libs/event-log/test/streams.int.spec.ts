import { type JetStreamManager, jetstreamManager, type StreamConfig, type StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { declareStreams, openEventLog, StreamMismatchError } from '@toolstream/event-log';
import { type NatsServer, startEphemeralNats } from '@toolstream/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

const EPOCH = 'toolstream.epoch';
const epochOf = (info: StreamInfo) => info.config.metadata?.[EPOCH];

describe('the declaration of the streams', () => {
  let server: NatsServer;
  let nc: NatsConnection;
  let jsm: JetStreamManager;

  /** As an operator does. A server that is busy may still be clearing away the folder of the test before. */
  const add = (config: Partial<StreamConfig> & { name: string }) =>
    vi.waitFor(() => jsm.streams.add(config), { timeout: 5_000 });

  beforeAll(async () => {
    server = await startEphemeralNats();
    nc = await connect({ servers: server.url });
    jsm = await jetstreamManager(nc);
  });

  afterEach(async () => {
    for await (const { config } of jsm.streams.list()) await jsm.streams.delete(config.name);
  });

  afterAll(async () => {
    await nc.close();
    await server.stop();
  });

  test('makes every stream with what the design needs', async () => {
    await declareStreams(nc, { mode: 'create', partitions: 2 });
    const names: string[] = [];
    for await (const { config } of jsm.streams.list()) names.push(config.name);
    expect(names.sort()).toEqual(['DEAD', 'EVENTS_0', 'EVENTS_1', 'JOBS', 'TIMERS']);
    const { config } = await jsm.streams.info('EVENTS_1');
    expect(config).toMatchObject({
      subjects: ['ts.evt.1.*.*.*.*'],
      retention: 'limits',
      storage: 'file',
      discard: 'new',
      allow_direct: true,
      republish: { src: 'ts.evt.>', dest: 'ts.live.>' },
      max_consumers: 64,
      max_age: 0,
      max_bytes: -1,
      deny_delete: true,
      deny_purge: false,
      num_replicas: 1,
    });
    expect((await jsm.streams.info('JOBS')).config).toMatchObject({ retention: 'workqueue', discard: 'new' });
    expect((await jsm.streams.info('TIMERS')).config).toMatchObject({ allow_msg_schedules: true });
    expect((await jsm.streams.info('DEAD')).config.subjects).toHaveLength(2);
  });

  test('may be made again and at the same time, and keeps the epoch', async () => {
    const declare = () => declareStreams(nc, { mode: 'create', partitions: 2 });
    await Promise.all([declare(), declare(), declare(), declare()]);
    const before = await jsm.streams.info('EVENTS_0');
    expect(epochOf(before)).toMatch(/^[A-Za-z0-9_-]{8}$/);
    await declare();
    const after = await jsm.streams.info('EVENTS_0');
    expect(epochOf(after)).toBe(epochOf(before));
    expect(after.created).toBe(before.created);
    expect(epochOf(await jsm.streams.info('EVENTS_1'))).not.toBe(epochOf(before));
  });

  test('gives a stream that is made anew another epoch', async () => {
    await declareStreams(nc, { mode: 'create', partitions: 1 });
    const log = await openEventLog(nc, { partitions: 1 });
    const before = log.epoch(0);
    await jsm.streams.delete('EVENTS_0');
    await declareStreams(nc, { mode: 'create', partitions: 1 });
    expect(await log.refreshEpochs()).toBe(true);
    expect(log.epoch(0)).not.toBe(before);
  });

  test('changes what a running stream can take on, and leaves the rest as it was', async () => {
    await declareStreams(nc, { mode: 'create', partitions: 1 });
    const before = await jsm.streams.info('EVENTS_0');
    await declareStreams(nc, { mode: 'create', partitions: 1, maxBytes: 1 << 30 });
    const after = await jsm.streams.info('EVENTS_0');
    expect(after.config.max_bytes).toBe(1 << 30);
    expect(epochOf(after)).toBe(epochOf(before));
    await declareStreams(nc, { mode: 'create', partitions: 1 });
    expect((await jsm.streams.info('EVENTS_0')).config.max_bytes).toBe(1 << 30);
  });

  test('gives a stream that an operator made its epoch', async () => {
    await add({ name: 'EVENTS_0', subjects: ['ts.evt.0.*.*.*.*'], max_consumers: 64 });
    await expect(openEventLog(nc, { partitions: 1 })).rejects.toThrow(EPOCH);
    await declareStreams(nc, { mode: 'create', partitions: 1 });
    await declareStreams(nc, { mode: 'verify', partitions: 1 });
    expect((await openEventLog(nc, { partitions: 1 })).epoch(0)).not.toBe('');
  });

  test('says which change the server refused', async () => {
    await add({ name: 'JOBS', subjects: ['ts.job.*.*.*.*'], retention: 'limits' });
    const declared = declareStreams(nc, { mode: 'create', partitions: 1 });
    await expect(declared).rejects.toThrow(StreamMismatchError);
    await expect(declared).rejects.toThrow(/JOBS: retention is "limits", wanted "workqueue"/);
  });

  test('to be verified touches nothing and lists every difference at once', async () => {
    await add({ name: 'EVENTS_0', subjects: ['ts.evt.0.*.*.*.*'], max_consumers: 10 });
    const error = await declareStreams(nc, { mode: 'verify', partitions: 2 }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(StreamMismatchError);
    const { differences } = error as StreamMismatchError;
    for (const part of [
      'max_consumers is 10, wanted 64',
      'republish',
      EPOCH,
      'EVENTS_1: the stream',
      'JOBS: the stream',
    ]) {
      expect(differences.some((difference) => difference.includes(part))).toBe(true);
    }
    const names: string[] = [];
    for await (const { config } of jsm.streams.list()) names.push(config.name);
    expect(names).toEqual(['EVENTS_0']);
  });

  test('verifies what it created', async () => {
    await declareStreams(nc, { mode: 'create', partitions: 2 });
    await declareStreams(nc, { mode: 'verify', partitions: 2 });
  });

  test('switched off looks at nothing', async () => {
    await declareStreams(nc, { mode: 'off', partitions: 1 });
    const names: string[] = [];
    for await (const { config } of jsm.streams.list()) names.push(config.name);
    expect(names).toEqual([]);
  });
});
