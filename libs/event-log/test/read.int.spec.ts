import { jetstreamManager } from '@nats-io/jetstream';
import type { StoredEvent } from '@toolstream/event-log';
import { eventStream, liveRunSubjects, runSubjects, toolSubject } from '@toolstream/proto-events';
import { freePort } from '@toolstream/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appendChain, newEvent, newRun, openLog, type RunningLog, startLog } from './helpers.ts';
import { startProxy } from './proxy.ts';

async function all(events: AsyncIterable<StoredEvent>): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { seq } of events) seqs.push(seq);
  return seqs;
}

describe('read', () => {
  let main: RunningLog;

  beforeAll(async () => {
    main = await startLog(2, { monitorPort: await freePort() });
  });

  afterAll(() => main.stop());

  test('brings a run in stream order over all its subjects and over page borders', async () => {
    const run = newRun();
    const noise = newRun();
    const parts = await Promise.all([
      ...Array.from({ length: 5 }, (_, writer) => appendChain(main.log, run, writer, 21)),
      appendChain(main.log, noise, 0, 30),
    ]);
    const expected = parts
      .slice(0, 5)
      .flat()
      .sort((a, b) => a - b);
    for (const batch of [1, 7, 105, 1_000]) {
      expect(await all(main.log.read(runSubjects(run), { partition: 0, from: 1, batch }))).toEqual(expected);
    }
    const [from, to] = [expected[10]!, expected[50]!];
    const middle = expected.slice(10, 51);
    expect(await all(main.log.read(runSubjects(run), { partition: 0, from, to, batch: 8 }))).toEqual(middle);
    expect((await main.log.readRun(run, { from, to })).map(({ seq }) => seq)).toEqual(middle);
  });

  test('pages by bytes where events are large', async () => {
    const run = newRun();
    let last = 0;
    for (let i = 0; i < 30; i++) {
      const event = newEvent(run, 0, { text: 'x'.repeat(240 * 1024) });
      last = await main.log.append({ run, event, expected: last });
    }
    const events = await main.log.readRun(run);
    expect(events).toHaveLength(30);
    expect(events.at(-1)?.seq).toBe(last);
  });

  test('of what does not exist is empty', async () => {
    const run = newRun(1);
    expect(await main.log.readRun(run)).toEqual([]);
    expect(await all(main.log.read(runSubjects(run), { partition: 1, from: 1 }))).toEqual([]);
    expect(await main.log.lastOf(runSubjects(run), { leader: true })).toBeUndefined();
    expect(await main.log.lastOf(runSubjects(run), { leader: false })).toBeUndefined();
    expect(await main.log.lastSeq(1)).toBe(0);
    await appendChain(main.log, run, 0, 2);
    expect(await main.log.readRun(run, { from: 3 })).toEqual([]);
    expect(await main.log.readRun(run, { from: 2, to: 1 })).toEqual([]);
  });

  test('finds a run without its app, and only for its tenant', async () => {
    const run = newRun();
    await appendChain(main.log, run, 'run', 2);
    expect(await main.log.readRun({ tenant: run.tenant, run: run.run })).toHaveLength(2);
    expect(await main.log.readRun({ tenant: 'other', run: run.run })).toEqual([]);
  });

  test('of the last event answers alike from the leader and directly, for a subject and a wildcard', async () => {
    const run = newRun();
    const [, tool] = await appendChain(main.log, run, 0, 2);
    const [last] = await appendChain(main.log, run, 'run', 1);
    for (const leader of [true, false]) {
      expect((await main.log.lastOf(toolSubject(run, 0), { leader }))?.seq).toBe(tool);
      const newest = await main.log.lastOf(runSubjects(run), { leader });
      expect(newest).toMatchObject({ seq: last, subject: expect.stringContaining('.run') });
      expect(newest?.event().runid).toBe(run.run);
    }
    expect(await main.log.lastSeq(0)).toBe(last);
  });

  test('through a connection that is cut again and again is still complete', async () => {
    const run = newRun();
    const expected = (await Promise.all([0, 1, 2, 3].map((writer) => appendChain(main.log, run, writer, 500)))).flat();
    const proxy = await startProxy(main.server.port);
    const behind = await openLog(proxy.url, 2);
    const cutter = setInterval(() => proxy.cut(), 120);
    const seqs: number[] = [];
    for await (const { seq } of behind.log.read(runSubjects(run), { partition: 0, from: 1, batch: 100 })) {
      seqs.push(seq);
      if (seqs.length % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    clearInterval(cutter);
    expect(seqs).toEqual(expected.sort((a, b) => a - b));
    await behind.nc.close();
    await proxy.stop();
  });

  test('costs one request and leaves no subscription behind', async () => {
    const run = newRun();
    await appendChain(main.log, run, 0, 10);
    const subscriptions = async () => {
      const varz = (await (await fetch(`${main.server.monitorUrl}/varz`)).json()) as { subscriptions: number };
      return varz.subscriptions;
    };
    const [subscribed, sent] = [await subscriptions(), main.nc.stats().outMsgs];
    for (let i = 0; i < 20; i++) await main.log.readRun(run);
    expect(main.nc.stats().outMsgs - sent).toBe(20);
    expect(await subscriptions()).toBe(subscribed);
  });

  test('stopped in the middle by its consumer does not fail later', async () => {
    const run = newRun();
    await appendChain(main.log, run, 0, 30);
    for await (const { seq } of main.log.read(runSubjects(run), { partition: 0, from: 1, batch: 5 })) {
      if (seq > 0) break;
    }
  });
});

describe('the raw tail', () => {
  test('brings live events with their chain, on the subject that they are stored on', async () => {
    const main = await startLog();
    const run = newRun();
    const events: StoredEvent[] = [];
    const tail = main.log.tail(liveRunSubjects(run), (event) => events.push(event));
    await tail.ready;
    const seqs = await appendChain(main.log, run, 2, 3);
    await main.nc.flush();
    await expect.poll(() => events.length).toBe(3);
    expect(events.map(({ seq }) => seq)).toEqual(seqs);
    expect(events.map(({ lastSeq }) => lastSeq)).toEqual([0, seqs[0], seqs[1]]);
    expect(events[0]).toMatchObject({ subject: toolSubject(run, 2), type: 'tool.progressed.v1' });
    tail.stop();
    await main.stop();
  });
});

describe('cursors', () => {
  test('name a position of one incarnation of a stream', async () => {
    const main = await startLog(2);
    const { log } = main;
    const run = newRun();
    const [seq] = await appendChain(log, run, 0, 1);
    const cursor = log.cursor(0, seq!);
    expect(log.positionOf(cursor, 0)).toEqual({ ok: true, seq });
    expect(log.positionOf(cursor, 1)).toEqual({ ok: false, reason: 'epoch' });
    expect(log.positionOf('elsewhere.0:1', 0)).toEqual({ ok: false, reason: 'epoch' });
    expect(log.positionOf('0:1', 0)).toEqual({ ok: false, reason: 'malformed' });
    expect(await log.checkPosition(log.cursor(0, seq! + 1), 0)).toEqual({ ok: false, reason: 'future' });
    const both = `${log.cursor(0, 0)},${log.cursor(1, 0)}`;
    expect([log.positionOf(both, 0), log.positionOf(both, 1)]).toEqual([
      { ok: true, seq: 0 },
      { ok: true, seq: 0 },
    ]);

    const second = await openLog(main.server.url, 2);
    const [next] = await appendChain(log, run, 0, 1, seq);
    expect(second.log.positionOf(log.cursor(0, next!), 0)).toEqual({ ok: false, reason: 'future' });
    expect(await second.log.checkPosition(log.cursor(0, next!), 0)).toEqual({ ok: true, seq: next });

    const jsm = await jetstreamManager(main.nc);
    await jsm.streams.delete(eventStream(0));
    const third = await openLog(main.server.url, 2);
    expect(third.log.positionOf(cursor, 0)).toEqual({ ok: false, reason: 'epoch' });
    expect(await log.refreshEpochs()).toBe(true);
    expect(log.positionOf(cursor, 0)).toEqual({ ok: false, reason: 'epoch' });
    await second.nc.close();
    await third.nc.close();
    await main.stop();
  });
});
