import { setTimeout as sleep } from 'node:timers/promises';
import { AckPolicy, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type Delivered, LogUnavailableError } from '@toolstream/event-log';
import {
  DEAD_STREAM,
  JOBS_STREAM,
  type Job,
  jobConsumer,
  jobConsumerFilter,
  jobId,
  TIMERS_STREAM,
  type Timer,
  timerDueFilter,
  timerDueSubject,
} from '@toolstream/proto-events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newRun, openLog, type RunningLog, startLog } from './helpers.ts';
import { startProxy } from './proxy.ts';

let main: RunningLog;
let jsm: JetStreamManager;

beforeAll(async () => {
  main = await startLog(2);
  jsm = await jetstreamManager(main.nc);
});

afterAll(() => main.stop());

function newJob(tenant = 'acme'): Job {
  const run = newRun(0, tenant);
  return {
    ...run,
    job_id: jobId(run.run, 0, 1),
    index: 0,
    call_id: 'call-1',
    name: 'echo',
    pool: 'default',
    priority: 'normal',
    dispatch: 1,
    attempt: 1,
    tool_seq: 0,
    run_seq: 1,
    queued_at: '2026-01-01T00:00:00.000Z',
    arguments: { text: 'hello' },
    timeout_ms: 1_000,
    idempotent: true,
    isolation: 'inline',
  };
}

describe('publishJob', () => {
  afterEach(() => jsm.streams.purge(JOBS_STREAM));

  test('queues many at once, each under its own tenant’s bucket', async () => {
    const jobs = Array.from({ length: 200 }, (_, i) => newJob(`tenant-${i % 7}`));
    const published = await Promise.all(jobs.map((job) => main.log.publishJob(job)));
    expect(new Set(published.map(({ seq }) => seq)).size).toBe(200);
    let counted = 0;
    for (let bucket = 0; bucket < 4; bucket++) {
      const info = await jsm.streams.info(JOBS_STREAM, {
        subjects_filter: jobConsumerFilter('default', 'normal', bucket),
      });
      counted += Object.values(info.state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
    }
    expect(counted).toBe(200);
    const stored = await jsm.streams.getMessage(JOBS_STREAM, { seq: published[3]!.seq });
    expect(stored?.json()).toEqual(jobs[3]);
  });

  test('stores the same job once', async () => {
    const job = newJob();
    const first = await main.log.publishJob(job);
    expect(first.duplicate).toBe(false);
    expect(await main.log.publishJob(job)).toEqual({ seq: first.seq, duplicate: true });
    expect((await jsm.streams.info(JOBS_STREAM)).state.messages).toBe(1);
  });

  test('whose answer was lost is stored once', async () => {
    const proxy = await startProxy(main.server.port);
    const behind = await openLog(proxy.url, 2);
    const job = newJob();
    proxy.swallowAnswers = true;
    const publishing = behind.log.publishJob(job);
    await expect.poll(async () => (await jsm.streams.info(JOBS_STREAM)).state.messages).toBe(1);
    proxy.swallowAnswers = false;
    proxy.cut();
    expect((await publishing).duplicate).toBe(true);
    expect((await jsm.streams.info(JOBS_STREAM)).state.messages).toBe(1);
    await behind.nc.close();
    await proxy.stop();
  });

  test('without a server fails at its deadline', async () => {
    const other = await startLog();
    await other.server.stop();
    await expect(other.log.publishJob(newJob(), 300)).rejects.toThrow(LogUnavailableError);
    await other.nc.close();
  });

  test('that nobody can finish ends in the dead letters with its place', async () => {
    const job = newJob();
    const { seq } = await main.log.publishJob(job);
    const bucket = Number((await jsm.streams.getMessage(JOBS_STREAM, { seq }))?.subject.split('.')[4]);
    const durable = jobConsumer('default', 'normal', bucket);
    await jsm.consumers.add(JOBS_STREAM, {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      filter_subject: jobConsumerFilter('default', 'normal', bucket),
      max_deliver: 1,
      ack_wait: 300_000_000,
    });
    const dead: unknown[] = [];
    const consumer = await main.log.consumeDurable({
      style: 'plain',
      stream: DEAD_STREAM,
      durable: 'orchestrator',
      handler: async (message) => void dead.push(JSON.parse(message.text())),
      onError: (error) => dead.push(error),
    });
    const executor = await jetstream(main.nc).consumers.get(JOBS_STREAM, durable);
    expect((await executor.next({ expires: 1_000 }))?.seq).toBe(seq);
    // A second pull makes the server notice that the only delivery has expired.
    await executor.next({ expires: 1_000 });
    await expect.poll(() => dead, { timeout: 3_000 }).toHaveLength(1);
    expect(dead[0]).toMatchObject({ stream: JOBS_STREAM, consumer: durable, stream_seq: seq, deliveries: 1 });
    await consumer.drain();
    await jsm.consumers.delete(JOBS_STREAM, durable);
  });
});

describe('publishTimer', () => {
  let fired: { timer: Timer; subject: string; at: number }[] = [];

  async function listen(log = main.log) {
    fired = [];
    return log.consumeDurable({
      style: 'plain',
      stream: TIMERS_STREAM,
      durable: 'orchestrator',
      filter: timerDueFilter,
      handler: async (message: Delivered) => {
        fired.push({ timer: JSON.parse(message.text()) as Timer, subject: message.subject, at: Date.now() });
      },
      onError: (error) => {
        throw error;
      },
    });
  }

  const ids = () => fired.map(({ timer }) => timer.id);
  const due = (ms: number) => new Date(Date.now() + ms).toISOString();
  const newTimer = (id: string, dueIn: number, partition = 0): Timer => ({
    ...newRun(partition),
    id,
    kind: 'retry',
    index: 2,
    failures: 1,
    due_at: due(dueIn),
  });

  test('fires once, when due, with the timer as payload, and leaves nothing behind', async () => {
    const consumer = await listen();
    const timer = newTimer('once', 400, 1);
    await main.log.publishTimer(timer);
    await expect.poll(() => ids(), { timeout: 3_000 }).toEqual(['once']);
    expect(fired[0]).toMatchObject({ timer, subject: timerDueSubject(1) });
    expect(fired[0]!.at).toBeGreaterThanOrEqual(Date.parse(timer.due_at));
    await expect.poll(async () => (await jsm.streams.info(TIMERS_STREAM)).state.messages).toBe(0);
    await consumer.drain();
  });

  test.each([
    ['whose place is known', (seq: number) => seq],
    ['whose place is not known', () => undefined],
  ])('one %s is taken away before it fires; again is nothing', async (_, known) => {
    const consumer = await listen();
    const { seq } = await main.log.publishTimer(newTimer('retired', 400));
    await main.log.retireTimer('retired', known(seq));
    await main.log.retireTimer('retired', known(seq));
    expect((await jsm.streams.info(TIMERS_STREAM)).state.messages).toBe(0);
    await main.log.publishTimer(newTimer('other', 500));
    await expect.poll(() => ids(), { timeout: 3_000 }).toEqual(['other']);
    await consumer.drain();
  });

  test('fires at once when the time is past', async () => {
    const consumer = await listen();
    await main.log.publishTimer(newTimer('past', -60_000));
    await expect.poll(() => ids(), { timeout: 1_000 }).toEqual(['past']);
    await consumer.drain();
  });

  test('set again with another time replaces the one that waits; with the same it changes nothing', async () => {
    const consumer = await listen();
    const early = newTimer('again', 400);
    expect((await main.log.publishTimer(early)).duplicate).toBe(false);
    expect((await main.log.publishTimer(early)).duplicate).toBe(true);
    await main.log.publishTimer({ ...early, due_at: due(1_000) });
    await sleep(700);
    expect(ids()).toEqual([]);
    await expect.poll(() => ids(), { timeout: 3_000 }).toEqual(['again']);
    await sleep(300);
    expect(ids()).toEqual(['again']);
    await consumer.drain();
  });

  test('fires over a kill of the server, also what became due while it was away', async () => {
    const other = await startLog(1);
    const consumer = await listen(other.log);
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => other.log.publishTimer(newTimer(`kill-${i}`, 200 + i * 25))),
    );
    await sleep(300);
    await other.server.kill9();
    await sleep(500);
    await other.server.restart();
    await expect.poll(() => new Set(ids()).size, { timeout: 8_000 }).toBe(50);
    await consumer.drain();
    await other.stop();
  });
});
