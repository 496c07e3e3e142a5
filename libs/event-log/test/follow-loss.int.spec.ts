import { setTimeout as sleep } from 'node:timers/promises';
import { type EventLog, openEventLog } from '@toolstream/event-log';
import type { RunAddress } from '@toolstream/proto-events';
import { describe, expect, test } from 'vitest';
import { useFollowers } from './followers.ts';
import { appendChain, newEvent, newRun, openLog, startLog } from './helpers.ts';
import { lossyTail, random } from './lossy-tail.ts';
import { startProxy } from './proxy.ts';

const world = useFollowers();

describe('follow, where messages are lost', () => {
  test('fills a hole before anything passes it', async () => {
    const run = newRun();
    let dropping = false;
    const log = await openEventLog(
      lossyTail(world.main.nc, () => dropping),
      { partitions: 2 },
    );
    const seen = world.watch(log, run, { checkMs: 60_000 });
    await seen.follower.ready;
    const [first] = await appendChain(world.main.log, run, 0, 1);
    await expect.poll(() => seen.seqs).toEqual([first]);
    dropping = true;
    const lost = await appendChain(world.main.log, run, 0, 3, first);
    await world.main.nc.flush();
    dropping = false;
    await appendChain(world.main.log, run, 0, 1, lost.at(-1));
    await world.untilSeen(seen, run);
    expect(seen.follower.stats()).toMatchObject({ repairs: 1, gaps: 0 });
  });

  test('finds a lost last message, which breaks no chain, by comparing with the stream', async () => {
    const run = newRun();
    let dropping = false;
    const log = await openEventLog(
      lossyTail(world.main.nc, () => dropping),
      { partitions: 2 },
    );
    const seen = world.watch(log, run);
    await appendChain(world.main.log, run, 0, 3);
    await world.untilSeen(seen, run);
    dropping = true;
    await appendChain(world.main.log, run, 1, 1);
    await world.untilSeen(seen, run);
    expect(seen.follower.stats()).toMatchObject({ repairs: 0, gaps: 0 });
  });

  test('brings a lost last message of another subject before an event that must be proven', async () => {
    const run = newRun();
    let drop = 'none';
    const log = await openEventLog(
      lossyTail(world.main.nc, (subject) => subject.endsWith(drop)),
      { partitions: 2 },
    );
    const seen = world.watch(log, run, { isProven: (event) => event.subject.endsWith('.1') });
    await appendChain(world.main.log, run, 0, 3);
    await world.untilSeen(seen, run);
    drop = '.0';
    await appendChain(world.main.log, run, 0, 1, (await world.main.log.readRun(run)).at(-1)!.seq);
    await appendChain(world.main.log, run, 1, 1);
    await world.untilSeen(seen, run);
    // Looked for because of what the event is: no hole was met.
    expect(seen.follower.stats()).toMatchObject({ repairs: 0, gaps: 0 });
  });

  test('reports a hole that other events have passed, and goes on from a snapshot', async () => {
    const run = newRun();
    let drop = '';
    const log = await openEventLog(
      lossyTail(world.main.nc, (subject) => subject.endsWith(drop)),
      { partitions: 2 },
    );
    drop = '.nothing';
    const seen = world.watch(log, run);
    await seen.follower.ready;
    drop = '.7';
    await appendChain(world.main.log, run, 7, 1);
    const [passing] = await appendChain(world.main.log, run, 'run', 1);
    await expect.poll(() => seen.gaps, { timeout: 3_000 }).toEqual(['passed']);
    expect(seen.seqs).toEqual([passing]);
    drop = '.nothing';
    const [ignored] = await appendChain(world.main.log, run, 'run', 1, passing);
    await sleep(150);
    expect(seen.seqs).toEqual([passing]);
    seen.follower.continueFrom(0, ignored!);
    const [next] = await appendChain(world.main.log, run, 'run', 1, ignored);
    await expect.poll(() => seen.seqs).toEqual([passing, next]);
    expect(seen.gaps).toEqual(['passed']);
  });

  test('reports a late event once, though a read finds the same hole at the same time', async () => {
    for (const late of [5, 15, 25, 35]) {
      const run = newRun();
      const slow = lossyTail(world.main.nc, (subject) => (subject.endsWith('.7') ? late : false));
      const log = await openEventLog(slow, { partitions: 2 });
      const seen = world.watch(log, run, { checkMs: 20, onEvents: () => sleep(10) });
      await seen.follower.ready;
      await appendChain(world.main.log, run, 7, 1);
      const [passing] = await appendChain(world.main.log, run, 'run', 1);
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
        lossyTail(world.main.nc, () => chance() < 0.05),
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
          void world.main.log.readRun(run).then((all) => {
            const last = all.at(-1)?.seq ?? 0;
            covered.push(...all.map((event) => event.seq));
            expect(last).toBeGreaterThanOrEqual(seq);
            follower.continueFrom(partition, last);
          });
        },
      });
      world.followers.push(follower);
      await Promise.all([0, 1, 2, 3].map((writer) => appendChain(world.main.log, run, writer, 150)));
      const expected = await world.stored(run);
      const known = () => new Set([...events, ...covered]).size;
      await expect.poll(known, { timeout: 5_000 }).toBe(expected.length);
      expect(events).toEqual([...new Set(events)].sort((a, b) => a - b));
      follower.stop();
    }
  });

  test('over cut connections stays complete without a gap', async () => {
    const proxy = await startProxy(world.main.server.port);
    const behind = await openLog(proxy.url, 2);
    const run = newRun();
    const seen = world.watch(behind.log, run, { checkMs: 60_000 });
    await seen.follower.ready;
    const writing = Promise.all([0, 1, 2].map((writer) => slowChain(world.main.log, run, writer, 60)));
    for (let cuts = 0; cuts < 3; cuts++) {
      await sleep(120);
      proxy.cut();
    }
    await writing;
    await world.untilSeen(seen, run);
    expect(seen.gaps).toEqual([]);
    await behind.nc.close();
    await proxy.stop();
  });

  test('finds after a reconnect what was stored meanwhile, though nothing comes afterwards', async () => {
    const proxy = await startProxy(world.main.server.port);
    const behind = await openLog(proxy.url, 2);
    const run = newRun();
    const seen = world.watch(behind.log, run, { checkMs: 60_000 });
    await seen.follower.ready;
    proxy.cut();
    await appendChain(world.main.log, run, 0, 3);
    await world.untilSeen(seen, run);
    expect(seen.caughtUp).toHaveLength(2);
    await behind.nc.close();
    await proxy.stop();
  });

  test('survives a server that is killed while events flow', async () => {
    const other = await startLog(1);
    const run = newRun();
    const seen = world.watch(other.log, run);
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
