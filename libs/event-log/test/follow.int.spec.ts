import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { declareStreams, type StoredEvent } from '@toolstream/event-log';
import { eventStream, toolSubject } from '@toolstream/proto-events';
import { describe, expect, test } from 'vitest';
import { type Seen, useFollowers } from './followers.ts';
import { appendChain, newEvent, newRun, startLog } from './helpers.ts';

const world = useFollowers();

describe('follow', () => {
  test('brings what is stored, then what comes, once and in order', async () => {
    const run = newRun();
    const before = (await Promise.all([0, 1, 2].map((writer) => appendChain(world.main.log, run, writer, 10)))).map(
      (s) => s.at(-1)!,
    );
    const seen = world.watch(world.main.log, run);
    await seen.follower.ready;
    expect(seen.seqs).toEqual(await world.stored(run));
    expect(seen.caughtUp).toEqual([seen.seqs.at(-1)]);
    await Promise.all([0, 1, 2].map((writer) => appendChain(world.main.log, run, writer, 10, before[writer])));
    await world.untilSeen(seen, run);
    expect(seen.follower.positions()).toEqual({ 0: seen.seqs.at(-1) });
    expect(seen.gaps).toEqual([]);
  });

  test('joins in the middle of a storm of appends without loss or repetition', async () => {
    const run = newRun();
    let stop = false;
    const writers = [0, 1, 2, 3, 4, 5].map(async (writer) => {
      for (let last = 0; !stop; )
        last = await world.main.log.append({ run, event: newEvent(run, writer), expected: last });
    });
    const joined: Seen[] = [];
    for (let i = 0; i < 8; i++) {
      await sleep(25);
      joined.push(world.watch(world.main.log, { tenant: run.tenant, run: run.run }));
    }
    await sleep(100);
    stop = true;
    await Promise.all(writers);
    for (const seen of joined) await world.untilSeen(seen, run);
    expect(joined.flatMap(({ gaps, errors }) => [...gaps, ...errors])).toEqual([]);
  });

  test('continues behind a position', async () => {
    const run = newRun();
    const seqs = await appendChain(world.main.log, run, 'run', 6);
    const seen = world.watch(world.main.log, run, { from: seqs[3]! });
    await seen.follower.ready;
    expect(seen.seqs).toEqual(seqs.slice(4));
    const atEnd = world.watch(world.main.log, run, { from: seqs[5]! });
    await atEnd.follower.ready;
    const [next] = await appendChain(world.main.log, run, 'run', 1, seqs[5]);
    await expect.poll(() => atEnd.seqs).toEqual([next]);
    expect(atEnd.caughtUp).toEqual([seqs[5]]);
  });

  test('of an app brings all its runs of all partitions, and nobody else’s', async () => {
    const [tenant, app] = ['acme', 'board'];
    const runs = [newRun(0, tenant, app), newRun(1, tenant, app), newRun(1, tenant, app)];
    const per = new Map<number, number[]>();
    await appendChain(world.main.log, runs[0]!, 0, 3);
    const seen = world.watch(
      world.main.log,
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
      appendChain(world.main.log, runs[1]!, 0, 3),
      appendChain(world.main.log, runs[2]!, 1, 3),
      appendChain(world.main.log, newRun(0, tenant, 'other'), 0, 3),
      appendChain(world.main.log, newRun(1, 'someone', app), 0, 3),
    ]);
    const second = [...(await world.stored(runs[1]!)), ...(await world.stored(runs[2]!))].sort((a, b) => a - b);
    await expect.poll(() => per.get(1)).toEqual(second);
    expect(per.get(0)).toEqual(await world.stored(runs[0]!));
    expect(seen.gaps).toEqual([]);
  });

  test('waits for a reader that answers with a promise, holds no more than its bound and still loses nothing', async () => {
    const run = newRun();
    await appendChain(world.main.log, run, 0, 30);
    const seqs: number[] = [];
    let inside = 0;
    let most = 0;
    const seen = world.watch(world.main.log, run, {
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
    await Promise.all([1, 2, 3, 4].map((writer) => appendChain(world.main.log, run, writer, 100)));
    const expected = await world.stored(run);
    await expect.poll(() => seqs.length, { timeout: 5_000 }).toBe(expected.length);
    expect(seqs).toEqual(expected);
    expect(seen.gaps).toEqual([]);
  });

  test('of a reader that throws ends with the error, and only that one', async () => {
    const run = newRun();
    const broken = world.watch(world.main.log, run, {
      onEvents: () => {
        throw new Error('broken reader');
      },
    });
    const healthy = world.watch(world.main.log, run);
    await appendChain(world.main.log, run, 0, 2);
    await world.untilSeen(healthy, run);
    expect(broken.errors).toEqual([new Error('broken reader')]);
  });

  test('says purged when the events behind the position are gone', async () => {
    const run = newRun();
    const seqs = await appendChain(world.main.log, run, 0, 4);
    await world.jsm.streams.purge(eventStream(0), { filter: toolSubject(run, 0) });
    const seen = world.watch(world.main.log, run, { from: seqs[1]! });
    await expect.poll(() => seen.gaps).toEqual(['purged']);
    expect(seen.seqs).toEqual([]);

    const app = newRun(1, 'acme', 'purged');
    const ofApp = await appendChain(world.main.log, app, 0, 6);
    await world.jsm.streams.purge(eventStream(1), { seq: ofApp[4]! });
    const board = world.watch(world.main.log, { tenant: 'acme', app: 'purged' }, { from: { 1: ofApp[1]! } });
    await expect.poll(() => board.gaps).toEqual(['purged']);
  });

  test('says epoch when the position is not of this stream', async () => {
    const run = newRun();
    const [last] = await appendChain(world.main.log, run, 0, 1);
    const ahead = world.watch(world.main.log, run, { from: last! + 1_000_000 });
    await expect.poll(() => ahead.gaps).toEqual(['epoch']);
  });

  test('says epoch when the stream is made anew under a follower, also where nothing happens', async () => {
    const other = await startLog(1);
    const run = newRun();
    await appendChain(other.log, run, 0, 5);
    const seen = world.watch(other.log, run);
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
});
