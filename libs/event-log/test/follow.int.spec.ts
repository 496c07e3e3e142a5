import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import {
  declareStreams,
  type EventLog,
  type Follower,
  type FollowOptions,
  type GapReason,
  openEventLog,
  type StoredEvent,
} from '@toolstream/event-log';
import { eventStream, type RunAddress, toolSubject } from '@toolstream/proto-events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { appendChain, newEvent, newRun, openLog, type RunningLog, startLog } from './helpers.ts';
import { lossyTail, random } from './lossy-tail.ts';
import { startProxy } from './proxy.ts';

interface Seen {
  follower: Follower;
  seqs: number[];
  batches: number;
  gaps: GapReason[];
  caughtUp: number[];
  errors: unknown[];
}

describe('follow', () => {
  let main: RunningLog;
  let jsm: JetStreamManager;
  const followers: Follower[] = [];

  beforeAll(async () => {
    main = await startLog(2);
    jsm = await jetstreamManager(main.nc);
  });

  afterEach(() => {
    for (const follower of followers.splice(0)) follower.stop();
  });

  afterAll(() => main.stop());

  function watch(log: EventLog, run: FollowOptions['run'], options: Partial<FollowOptions> = {}): Seen {
    const seen: Omit<Seen, 'follower'> = { seqs: [], batches: 0, gaps: [], caughtUp: [], errors: [] };
    const follower = log.follow({
      run,
      from: 0,
      onEvents: (events) => {
        seen.batches++;
        for (const { seq } of events) seen.seqs.push(seq);
      },
      onGapUnhealable: (reason) => seen.gaps.push(reason),
      onCaughtUp: ({ seq }) => seen.caughtUp.push(seq),
      onError: (error) => seen.errors.push(error),
      checkMs: 100,
      ...options,
    });
    followers.push(follower);
    return Object.assign(seen, { follower });
  }

  const stored = async (run: RunAddress) => (await main.log.readRun(run)).map(({ seq }) => seq);

  async function untilSeen(seen: Seen, run: RunAddress): Promise<void> {
    const expected = await stored(run);
    await expect.poll(() => seen.seqs.length, { timeout: 5_000, interval: 10 }).toBeGreaterThanOrEqual(expected.length);
    expect(seen.seqs).toEqual(expected);
  }

  test('brings what is stored, then what comes, once and in order', async () => {
    const run = newRun();
    const before = (await Promise.all([0, 1, 2].map((writer) => appendChain(main.log, run, writer, 10)))).map(
      (s) => s.at(-1)!,
    );
    const seen = watch(main.log, run);
    await seen.follower.ready;
    expect(seen.seqs).toEqual(await stored(run));
    expect(seen.caughtUp).toEqual([seen.seqs.at(-1)]);
    await Promise.all([0, 1, 2].map((writer) => appendChain(main.log, run, writer, 10, before[writer])));
    await untilSeen(seen, run);
    expect(seen.follower.positions()).toEqual({ 0: seen.seqs.at(-1) });
    expect(seen.gaps).toEqual([]);
  });

  test('joins in the middle of a storm of appends without loss or repetition', async () => {
    const run = newRun();
    let stop = false;
    const writers = [0, 1, 2, 3, 4, 5].map(async (writer) => {
      for (let last = 0; !stop; ) last = await main.log.append({ run, event: newEvent(run, writer), expected: last });
    });
    const joined: Seen[] = [];
    for (let i = 0; i < 8; i++) {
      await sleep(25);
      joined.push(watch(main.log, { tenant: run.tenant, run: run.run }));
    }
    await sleep(100);
    stop = true;
    await Promise.all(writers);
    for (const seen of joined) await untilSeen(seen, run);
    expect(joined.flatMap(({ gaps, errors }) => [...gaps, ...errors])).toEqual([]);
  });

  test('continues behind a position', async () => {
    const run = newRun();
    const seqs = await appendChain(main.log, run, 'run', 6);
    const seen = watch(main.log, run, { from: seqs[3]! });
    await seen.follower.ready;
    expect(seen.seqs).toEqual(seqs.slice(4));
    const atEnd = watch(main.log, run, { from: seqs[5]! });
    await atEnd.follower.ready;
    const [next] = await appendChain(main.log, run, 'run', 1, seqs[5]);
    await expect.poll(() => atEnd.seqs).toEqual([next]);
    expect(atEnd.caughtUp).toEqual([seqs[5]]);
  });

  test('of an app brings all its runs of all partitions, and nobody else’s', async () => {
    const [tenant, app] = ['acme', 'board'];
    const runs = [newRun(0, tenant, app), newRun(1, tenant, app), newRun(1, tenant, app)];
    const per = new Map<number, number[]>();
    await appendChain(main.log, runs[0]!, 0, 3);
    const seen = watch(
      main.log,
      { tenant, app },
      {
        from: {},
        onEvents: (events: readonly StoredEvent[], partition: number) => {
          per.set(partition, [...(per.get(partition) ?? []), ...events.map(({ seq }) => seq)]);
        },
      },
    );
    await seen.follower.ready;
    await Promise.all([
      appendChain(main.log, runs[1]!, 0, 3),
      appendChain(main.log, runs[2]!, 1, 3),
      appendChain(main.log, newRun(0, tenant, 'other'), 0, 3),
      appendChain(main.log, newRun(1, 'someone', app), 0, 3),
    ]);
    const second = [...(await stored(runs[1]!)), ...(await stored(runs[2]!))].sort((a, b) => a - b);
    await expect.poll(() => per.get(1)).toEqual(second);
    expect(per.get(0)).toEqual(await stored(runs[0]!));
    expect(seen.gaps).toEqual([]);
  });

  test('fills a hole before anything passes it', async () => {
    const run = newRun();
    let dropping = false;
    const log = await openEventLog(
      lossyTail(main.nc, () => dropping),
      { partitions: 2 },
    );
    const seen = watch(log, run, { checkMs: 60_000 });
    await seen.follower.ready;
    const [first] = await appendChain(main.log, run, 0, 1);
    await expect.poll(() => seen.seqs).toEqual([first]);
    dropping = true;
    const lost = await appendChain(main.log, run, 0, 3, first);
    await main.nc.flush();
    dropping = false;
    await appendChain(main.log, run, 0, 1, lost.at(-1));
    await untilSeen(seen, run);
    expect(seen.follower.stats()).toMatchObject({ repairs: 1, gaps: 0 });
  });

  test('finds a lost last message, which breaks no chain, by comparing with the stream', async () => {
    const run = newRun();
    let dropping = false;
    const log = await openEventLog(
      lossyTail(main.nc, () => dropping),
      { partitions: 2 },
    );
    const seen = watch(log, run);
    await appendChain(main.log, run, 0, 3);
    await untilSeen(seen, run);
    dropping = true;
    await appendChain(main.log, run, 1, 1);
    await untilSeen(seen, run);
    expect(seen.follower.stats()).toMatchObject({ repairs: 0, gaps: 0 });
  });

  test('brings a lost last message of another subject before an event that must be proven', async () => {
    const run = newRun();
    let drop = 'none';
    const log = await openEventLog(
      lossyTail(main.nc, (subject) => subject.endsWith(drop)),
      { partitions: 2 },
    );
    const seen = watch(log, run, { isProven: (event) => event.subject.endsWith('.1') });
    await appendChain(main.log, run, 0, 3);
    await untilSeen(seen, run);
    drop = '.0';
    await appendChain(main.log, run, 0, 1, (await main.log.readRun(run)).at(-1)!.seq);
    await appendChain(main.log, run, 1, 1);
    await untilSeen(seen, run);
    expect(seen.follower.stats()).toMatchObject({ repairs: 1, gaps: 0 });
  });

  test('reports a hole that other events have passed, and goes on from a snapshot', async () => {
    const run = newRun();
    let drop = '';
    const log = await openEventLog(
      lossyTail(main.nc, (subject) => subject.endsWith(drop)),
      { partitions: 2 },
    );
    drop = '.nothing';
    const seen = watch(log, run);
    await seen.follower.ready;
    drop = '.7';
    await appendChain(main.log, run, 7, 1);
    const [passing] = await appendChain(main.log, run, 'run', 1);
    await expect.poll(() => seen.gaps, { timeout: 3_000 }).toEqual(['passed']);
    expect(seen.seqs).toEqual([passing]);
    drop = '.nothing';
    const [ignored] = await appendChain(main.log, run, 'run', 1, passing);
    await sleep(150);
    expect(seen.seqs).toEqual([passing]);
    seen.follower.continueFrom(0, ignored!);
    const [next] = await appendChain(main.log, run, 'run', 1, ignored);
    await expect.poll(() => seen.seqs).toEqual([passing, next]);
    expect(seen.gaps).toEqual(['passed']);
  });

  test('reports a late event once, though a read finds the same hole at the same time', async () => {
    for (const late of [5, 15, 25, 35]) {
      const run = newRun();
      const slow = lossyTail(main.nc, (subject) => (subject.endsWith('.7') ? late : false));
      const log = await openEventLog(slow, { partitions: 2 });
      const seen = watch(log, run, { checkMs: 20, onEvents: () => sleep(10) });
      await seen.follower.ready;
      await appendChain(main.log, run, 7, 1);
      const [passing] = await appendChain(main.log, run, 'run', 1);
      await expect.poll(() => seen.gaps.length + Number(seen.follower.positions()[0] === passing)).toBeGreaterThan(0);
      await sleep(80);
      expect(seen.gaps.length).toBeLessThanOrEqual(1);
      expect(seen.follower.stats().gaps).toBe(seen.gaps.length);
    }
  });

  test('loses nothing silently under random loss: complete, or a gap that a restart from it heals', async () => {
    for (const seed of [1, 2, 3]) {
      const chance = random(seed);
      const log = await openEventLog(
        lossyTail(main.nc, () => chance() < 0.05),
        { partitions: 2 },
      );
      const run = newRun();
      const events: number[] = [];
      const covered: number[] = [];
      const follower = log.follow({
        run,
        from: 0,
        checkMs: 30,
        onEvents: (batch) => {
          events.push(...batch.map(({ seq }) => seq));
        },
        onGapUnhealable: (_reason, { partition, seq }) => {
          // What the edge does: a snapshot covers everything up to its sequence.
          void main.log.readRun(run).then((all) => {
            const last = all.at(-1)?.seq ?? 0;
            covered.push(...all.map((event) => event.seq));
            expect(last).toBeGreaterThanOrEqual(seq);
            follower.continueFrom(partition, last);
          });
        },
      });
      followers.push(follower);
      await Promise.all([0, 1, 2, 3].map((writer) => appendChain(main.log, run, writer, 150)));
      const expected = await stored(run);
      const known = () => new Set([...events, ...covered]).size;
      await expect.poll(known, { timeout: 5_000 }).toBe(expected.length);
      expect(events).toEqual([...new Set(events)].sort((a, b) => a - b));
      follower.stop();
    }
  });

  test('over cut connections stays complete without a gap', async () => {
    const proxy = await startProxy(main.server.port);
    const behind = await openLog(proxy.url, 2);
    const run = newRun();
    const seen = watch(behind.log, run, { checkMs: 60_000 });
    await seen.follower.ready;
    const writing = Promise.all([0, 1, 2].map((writer) => slowChain(main.log, run, writer, 60)));
    for (let cuts = 0; cuts < 3; cuts++) {
      await sleep(120);
      proxy.cut();
    }
    await writing;
    await untilSeen(seen, run);
    expect(seen.gaps).toEqual([]);
    await behind.nc.close();
    await proxy.stop();
  });

  test('finds after a reconnect what was stored meanwhile, though nothing comes afterwards', async () => {
    const proxy = await startProxy(main.server.port);
    const behind = await openLog(proxy.url, 2);
    const run = newRun();
    const seen = watch(behind.log, run, { checkMs: 60_000 });
    await seen.follower.ready;
    proxy.cut();
    await appendChain(main.log, run, 0, 3);
    await untilSeen(seen, run);
    expect(seen.caughtUp).toHaveLength(2);
    await behind.nc.close();
    await proxy.stop();
  });

  test('waits for a reader that answers with a promise, holds no more than its bound and still loses nothing', async () => {
    const run = newRun();
    await appendChain(main.log, run, 0, 30);
    const seqs: number[] = [];
    let inside = 0;
    let most = 0;
    const seen = watch(main.log, run, {
      maxBuffer: 20,
      onEvents: async (events) => {
        inside++;
        expect(inside).toBe(1);
        most = Math.max(most, events.length);
        await sleep(20);
        seqs.push(...events.map(({ seq }) => seq));
        inside--;
      },
    });
    await Promise.all([1, 2, 3, 4].map((writer) => appendChain(main.log, run, writer, 100)));
    const expected = await stored(run);
    await expect.poll(() => seqs.length, { timeout: 5_000 }).toBe(expected.length);
    expect(seqs).toEqual(expected);
    expect(seen.gaps).toEqual([]);
  });

  test('of a reader that throws ends with the error, and only that one', async () => {
    const run = newRun();
    const broken = watch(main.log, run, {
      onEvents: () => {
        throw new Error('broken reader');
      },
    });
    const healthy = watch(main.log, run);
    await appendChain(main.log, run, 0, 2);
    await untilSeen(healthy, run);
    expect(broken.errors).toEqual([new Error('broken reader')]);
  });

  test('says purged when the events behind the position are gone', async () => {
    const run = newRun();
    const seqs = await appendChain(main.log, run, 0, 4);
    await jsm.streams.purge(eventStream(0), { filter: toolSubject(run, 0) });
    const seen = watch(main.log, run, { from: seqs[1]! });
    await expect.poll(() => seen.gaps).toEqual(['purged']);
    expect(seen.seqs).toEqual([]);

    const app = newRun(1, 'acme', 'purged');
    const ofApp = await appendChain(main.log, app, 0, 6);
    await jsm.streams.purge(eventStream(1), { seq: ofApp[4]! });
    const board = watch(main.log, { tenant: 'acme', app: 'purged' }, { from: { 1: ofApp[1]! } });
    await expect.poll(() => board.gaps).toEqual(['purged']);
  });

  test('says epoch when the position is not of this stream', async () => {
    const run = newRun();
    const [last] = await appendChain(main.log, run, 0, 1);
    const ahead = watch(main.log, run, { from: last! + 1_000_000 });
    await expect.poll(() => ahead.gaps).toEqual(['epoch']);
  });

  test('says epoch when the stream is made anew under a follower, also where nothing happens', async () => {
    const other = await startLog(1);
    const run = newRun();
    await appendChain(other.log, run, 0, 5);
    const seen = watch(other.log, run);
    await seen.follower.ready;
    const before = other.log.epoch(0);
    const manager = await jetstreamManager(other.nc);
    await manager.streams.delete(eventStream(0));
    await declareStreams(other.nc, { mode: 'create', partitions: 1 });
    await expect.poll(() => seen.gaps, { timeout: 3_000 }).toEqual(['epoch']);
    expect(other.log.epoch(0)).not.toBe(before);
    seen.follower.continueFrom(0, 0);
    const seqs = await appendChain(other.log, run, 0, 2);
    await expect.poll(() => seen.seqs.slice(5)).toEqual(seqs);
    seen.follower.stop();
    await other.stop();
  });

  test('survives a server that is killed while events flow', async () => {
    const other = await startLog(1);
    const run = newRun();
    const seen = watch(other.log, run);
    let stop = false;
    const writers = [0, 1, 2].map(async (writer) => {
      for (let last = 0; !stop; ) last = await other.log.append({ run, event: newEvent(run, writer), expected: last });
    });
    await sleep(100);
    await other.server.kill9();
    await other.server.restart();
    await sleep(300);
    stop = true;
    await Promise.all(writers);
    const expected = (await other.log.readRun(run)).map(({ seq }) => seq);
    await expect.poll(() => seen.seqs.length, { timeout: 5_000 }).toBe(expected.length);
    expect(seen.seqs).toEqual(expected);
    expect(seen.gaps).toEqual([]);
    seen.follower.stop();
    await other.stop();
  });
});

async function slowChain(log: EventLog, run: RunAddress, writer: number, count: number): Promise<void> {
  for (let i = 0, last = 0; i < count; i++) {
    last = await log.append({ run, event: newEvent(run, writer), expected: last });
    await sleep(5);
  }
}
