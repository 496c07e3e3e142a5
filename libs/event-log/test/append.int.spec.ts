import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import {
  type EventLogError,
  FencedError,
  isConflict,
  isRetryable,
  LogFullError,
  LogRejectedError,
  LogUnavailableError,
} from '@toolstream/event-log';
import { eventStream, toolSubject } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appendChain, newEvent, newRun, type OpenLog, openLog, type RunningLog, startLog } from './helpers.ts';
import { startProxy, type TcpProxy } from './proxy.ts';

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('append', () => {
  let main: RunningLog;
  let proxy: TcpProxy;
  let behind: OpenLog;

  beforeAll(async () => {
    main = await startLog(2);
    proxy = await startProxy(main.server.port);
    behind = await openLog(proxy.url, 2);
  });

  afterAll(async () => {
    await behind.nc.close();
    await proxy.stop();
    await main.stop();
  });

  test('returns the sequence that the next append must expect', async () => {
    const run = newRun();
    const seqs = await appendChain(main.log, run, 0, 3);
    const stored = await main.log.readRun(run);
    expect(stored.map(({ seq }) => seq)).toEqual(seqs);
  });

  test('stores the event as it was given, with what routing needs in headers', async () => {
    const run = newRun(1);
    const event = newEvent(run, 3, { stage: 'löschen ✓' });
    const seq = await main.log.append({ run, event, expected: 0, jobId: 'job-7' });
    const [stored] = await main.log.readRun(run);
    expect(stored).toMatchObject({ seq, id: event.id, type: event.type, job: 'job-7', subject: toolSubject(run, 3) });
    expect(stored?.text()).toBe(JSON.stringify(event));
    expect(stored?.event()).toEqual(event);
    expect(stored?.address()).toEqual({ ...run, partition: 1, writer: 3 });
  });

  test('is refused where another writer was faster, and nothing is stored', async () => {
    const run = newRun();
    const [first] = await appendChain(main.log, run, 0, 2);
    const error = await failure(main.log.append({ run, event: newEvent(run), expected: first! }));
    expect(error).toBeInstanceOf(FencedError);
    expect(error).toMatchObject({ code: 'fenced', expected: first, actual: first! + 1 });
    expect([isConflict(error), isRetryable(error)]).toEqual([true, false]);
    expect(await main.log.readRun(run)).toHaveLength(2);
  });

  test('is refused as the first event of a subject that has one, and as a later one of a subject that has none', async () => {
    const run = newRun();
    await appendChain(main.log, run, 'run', 1);
    expect(await failure(main.log.append({ run, event: newEvent(run, 'run'), expected: 0 }))).toBeInstanceOf(
      FencedError,
    );
    expect(await failure(main.log.append({ run, event: newEvent(run, 4), expected: 1 }))).toBeInstanceOf(FencedError);
  });

  test('of an event that is stored already answers its sequence, also when others follow it', async () => {
    const run = newRun();
    const event = newEvent(run);
    const seq = await main.log.append({ run, event, expected: 0 });
    expect(await main.log.append({ run, event, expected: 0 })).toBe(seq);
    await appendChain(main.log, run, 0, 2, seq);
    expect(await main.log.append({ run, event, expected: 0 })).toBe(seq);
    expect(await main.log.readRun(run)).toHaveLength(3);
  });

  test('lets exactly one of many writers win a place', async () => {
    const run = newRun();
    const tries = Array.from({ length: 20 }, () =>
      failure(main.log.append({ run, event: newEvent(run), expected: 0 })),
    );
    const outcomes = await Promise.all(tries);
    expect(outcomes.filter((outcome) => outcome === undefined)).toHaveLength(1);
    expect(outcomes.filter(isConflict)).toHaveLength(19);
  });

  test('whose answer was lost is settled as success when it was stored', async () => {
    const run = newRun();
    const event = newEvent(run);
    proxy.swallowAnswers = true;
    const appending = behind.log.append({ run, event, expected: 0 });
    const stored = await until(() => main.log.lastOf(toolSubject(run, 0), { leader: true }));
    proxy.swallowAnswers = false;
    proxy.cut();
    expect(await appending).toBe(stored.seq);
    expect(await main.log.readRun(run)).toHaveLength(1);
  });

  test('whose answer was lost is settled as success also when another event followed', async () => {
    const run = newRun();
    proxy.swallowAnswers = true;
    const appending = behind.log.append({ run, event: newEvent(run), expected: 0 });
    const stored = await until(() => main.log.lastOf(toolSubject(run, 0), { leader: true }));
    await appendChain(main.log, run, 0, 1, stored.seq);
    proxy.swallowAnswers = false;
    proxy.cut();
    expect(await appending).toBe(stored.seq);
    expect(await main.log.readRun(run)).toHaveLength(2);
  });

  test('that never arrived is a conflict when another writer came first', async () => {
    const run = newRun();
    proxy.cut();
    // The client is between two connections now: what it sends is lost.
    await sleep(5);
    const appending = failure(behind.log.append({ run, event: newEvent(run), expected: 0 }));
    await appendChain(main.log, run, 0, 1);
    const outcome = await appending;
    const stored = await main.log.readRun(run);
    expect(stored).toHaveLength(1);
    expect(outcome).toBeInstanceOf(FencedError);
  });

  test('without any answer fails at its deadline, and the same append later tells what became of it', async () => {
    const run = newRun();
    const event = newEvent(run);
    proxy.swallowAnswers = true;
    const error = await failure(behind.log.append({ run, event, expected: 0, timeoutMs: 300 }));
    proxy.swallowAnswers = false;
    expect(error).toBeInstanceOf(LogUnavailableError);
    expect(isRetryable(error)).toBe(true);
    proxy.cut();
    const seq = await behind.log.append({ run, event, expected: 0 });
    expect((await main.log.readRun(run)).map((stored) => stored.seq)).toEqual([seq]);
  });

  test('survives a server that is killed in the middle: what was acknowledged is there, a zombie stays out', async () => {
    const runs = Array.from({ length: 20 }, () => newRun());
    let stop = false;
    const writers = runs.map(async (run) => {
      const seqs: number[] = [];
      while (!stop) seqs.push(await main.log.append({ run, event: newEvent(run), expected: seqs.at(-1) ?? 0 }));
      return seqs;
    });
    await sleep(150);
    for (let kills = 0; kills < 2; kills++) {
      await main.server.kill9();
      await main.server.restart();
      await sleep(400);
    }
    stop = true;
    const acknowledged = await Promise.all(writers);
    for (const [at, run] of runs.entries()) {
      const seqs = acknowledged[at]!;
      expect((await main.log.readRun(run)).map(({ seq }) => seq)).toEqual(seqs);
      const zombie = failure(main.log.append({ run, event: newEvent(run), expected: seqs.at(-2) ?? 0 }));
      expect(await zombie).toBeInstanceOf(FencedError);
    }
  });

  test('says at once what the server will never take', async () => {
    const run = newRun();
    const huge = newEvent(run, 0, { text: 'x'.repeat(2 << 20) });
    expect(await failure(main.log.append({ run, event: huge, expected: 0 }))).toBeInstanceOf(LogRejectedError);
    const torn = { ...newEvent(run), id: 'a\r\nTs-Type: forged' };
    await expect(main.log.append({ run, event: torn, expected: 0 })).rejects.toThrow('line break');
    await expect(
      main.log.append({ run: { ...run, tenant: 'a.b' }, event: newEvent(run), expected: 0 }),
    ).rejects.toThrow('token');
  });

  test('that waits for an answer fails at once when the connection is closed', async () => {
    const own = await openLog(proxy.url, 2);
    proxy.swallowAnswers = true;
    const run = newRun();
    const waiting = failure(own.log.append({ run, event: newEvent(run), expected: 0 }));
    await until(() => main.log.lastOf(toolSubject(run, 0), { leader: true }));
    await own.nc.close();
    proxy.swallowAnswers = false;
    expect(await waiting).toMatchObject({ code: 'connection_closed' });
    expect(await failure(own.log.append({ run, event: newEvent(run), expected: 0 }))).toMatchObject({
      code: 'connection_closed',
    });
    proxy.cut();
  });

  test('into a full stream is LogFullError, and works again when there is room', async () => {
    const jsm = await jetstreamManager(main.nc);
    const run = newRun(1);
    const { state } = await jsm.streams.info(eventStream(1));
    await jsm.streams.update(eventStream(1), { max_bytes: state.bytes + 1_500 });
    const seqs: number[] = [];
    const filling = async () => {
      for (;;) seqs.push(await main.log.append({ run, event: newEvent(run), expected: seqs.at(-1) ?? 0 }));
    };
    const error = await failure(filling());
    expect(error).toBeInstanceOf(LogFullError);
    expect(error).toMatchObject({ code: 'log_full' });
    expect((error as EventLogError).retryable).toBe(true);
    expect(seqs.length).toBeGreaterThan(0);
    await jsm.streams.update(eventStream(1), { max_bytes: -1 });
    await appendChain(main.log, run, 0, 1, seqs.at(-1)!);
  });
});

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 200; tries++) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(10);
  }
  throw new Error('waited 2 s in vain');
}
