import { setTimeout as sleep } from 'node:timers/promises';
import { isConflict } from '@toolstream/event-log';
import type { Job } from '@toolstream/proto-events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Bench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
afterEach(() => bench.stopExecutors());
afterAll(() => bench.stop());

const cancelled = { reason: 'test', cause: 'command' } as const;
const lifecycle = async (job: Job) => (await bench.types(job, job.index)).filter((type) => type !== 'tool.progressed');
const STOPPED = ['tool.started', 'tool.cancel_acknowledged', 'tool.cancelled'];

describe('a cancelled run', () => {
  it.each(['inline', 'thread', 'process'] as const)(
    'stops its %s tool at once by the tool’s signal',
    async (isolation) => {
      await bench.executor({ TOOLSTREAM_GRACE_MS: '10000' });
      const job = await bench.dispatch('stepper', { steps: 10_000, ms: 10 }, { isolation });
      await bench.until(job, 'tool.progressed.v1');
      await bench.runEvent(job, 'run.cancel_requested.v1', cancelled);
      bench.signal(job);
      expect(await bench.until(job, 'tool.cancelled.v1', 0, 3000)).toMatchObject({
        data: { metrics: { duration_ms: expect.any(Number) } },
      });
      expect(await lifecycle(job)).toEqual(STOPPED);
      await bench.untilJobsLeft(0);
    },
  );

  it('ends a thread that computes and hears nothing, and no other thread', async () => {
    await bench.executor();
    const deafJob = await bench.dispatch('spinner', { ms: 60_000 });
    const other = await bench.dispatch('stepper', { steps: 60, ms: 20 });
    await bench.until(other, 'tool.progressed.v1');
    await bench.until(deafJob, 'tool.started.v1');
    await bench.runEvent(deafJob, 'run.cancel_requested.v1', cancelled);
    bench.signal(deafJob);
    await bench.until(deafJob, 'tool.cancelled.v1', 0, 5000);
    expect(await lifecycle(deafJob)).toEqual(STOPPED);
    expect(await bench.untilEnd(other)).toMatchObject({ type: 'tool.succeeded.v1', attempt: 1 });
  });

  it('ends a tool that computes and hears nothing within the grace time, and no lease lapses meanwhile', async () => {
    // Another executor waits to take over whatever misses its heartbeats for longer than a lease.
    const lease = { TOOLSTREAM_POOL: 'brief', TOOLSTREAM_LEASE_MS: '600', TOOLSTREAM_GRACE_MS: '2000' };
    const brief = { pool: 'brief' };
    await bench.executor(lease);
    const deafJob = await bench.dispatch('spinner', { ms: 60_000 }, brief);
    const others = [
      await bench.dispatch('stepper', { steps: 60, ms: 60 }, brief),
      await bench.dispatch('stepper', { steps: 60, ms: 60 }, { ...brief, isolation: 'inline' }),
      await bench.dispatch('spinner', { ms: 3600 }, brief),
    ];
    for (const job of [deafJob, ...others]) await bench.until(job, 'tool.started.v1');
    await bench.executor(lease);
    await bench.runEvent(deafJob, 'run.cancel_requested.v1', cancelled);
    const askedAt = performance.now();
    bench.signal(deafJob);
    await bench.until(deafJob, 'tool.cancelled.v1', 0, 5000);
    const took = performance.now() - askedAt;
    expect(took).toBeGreaterThan(1900);
    expect(took).toBeLessThan(4000);
    expect(await lifecycle(deafJob)).toEqual(STOPPED);
    // Each ran for several leases. Nobody took one over: there is one attempt, and it succeeds.
    for (const job of others) {
      expect(await bench.untilEnd(job)).toMatchObject({ type: 'tool.succeeded.v1', attempt: 1 });
      expect(await lifecycle(job)).toEqual(['tool.started', 'tool.succeeded']);
    }
    await bench.untilJobsLeft(0);
  });

  it('ends a process that ignores its signal', async () => {
    await bench.executor();
    const job = await bench.dispatch('spinner', { ms: 60_000 }, { isolation: 'process' });
    await bench.until(job, 'tool.started.v1');
    await sleep(500);
    await bench.runEvent(job, 'run.cancel_requested.v1', cancelled);
    bench.signal(job);
    await bench.until(job, 'tool.cancelled.v1', 0, 5000);
  });

  it('abandons an inline tool that ignores its signal', async () => {
    await bench.executor();
    const job = await bench.dispatch('deaf', { ms: 4000 }, { isolation: 'inline' });
    await bench.until(job, 'tool.started.v1');
    await bench.runEvent(job, 'run.cancel_requested.v1', cancelled);
    bench.signal(job);
    await bench.until(job, 'tool.cancelled.v1', 0, 3000);
    expect(await lifecycle(job)).toEqual(STOPPED);
  });

  it('is noticed at a heartbeat when the signal was lost', async () => {
    await bench.executor();
    const job = await bench.dispatch('stepper', { steps: 10_000, ms: 10 });
    await bench.until(job, 'tool.progressed.v1');
    await bench.runEvent(job, 'run.cancel_requested.v1', cancelled);
    await bench.until(job, 'tool.cancelled.v1', 0, 3000);
  });

  it('is noticed after the claim when it was cancelled before', async () => {
    // The heartbeat would take minutes.
    const job = await bench.dispatch('stepper', { steps: 10_000, ms: 10 }, { pool: 'slow' });
    await bench.runEvent(job, 'run.cancel_requested.v1', cancelled);
    await bench.executor({ TOOLSTREAM_POOL: 'slow', TOOLSTREAM_LEASE_MS: '600000' });
    await bench.until(job, 'tool.cancelled.v1', 0, 5000);
  });

  it('stops only the tool that was meant when only a tool is cancelled', async () => {
    await bench.executor();
    const first = await bench.dispatch('stepper', { steps: 60, ms: 20 });
    const second = await bench.dispatch('stepper', { steps: 10_000, ms: 10 }, { run: first.run, index: 1 });
    await bench.until(first, 'tool.progressed.v1');
    await bench.until(second, 'tool.progressed.v1', 1);
    await bench.runEvent(first, 'tool.cancel_requested.v1', { reason: 'test' }, 1);
    bench.signal(first);
    await bench.until(second, 'tool.cancelled.v1', 1, 3000);
    expect(await bench.untilEnd(first)).toMatchObject({ type: 'tool.succeeded.v1' });
  });
});

describe('a tool call that the orchestrator takes away', () => {
  it('is written to no more by its attempt, and its job is settled when it comes again', async () => {
    await bench.executor();
    const job = await bench.dispatch('stepper', { steps: 10_000, ms: 100 });
    await bench.until(job, 'tool.progressed.v1');
    const taken = await takeAway(job);
    await sleep(500);
    expect((await bench.stored(job)).at(-1)?.seq).toBe(taken);
    await bench.untilJobsLeft(0);
    expect((await bench.stored(job)).at(-1)?.seq).toBe(taken);
  });

  /** As the orchestrator does: where the attempt was faster, read again. */
  async function takeAway(job: Job): Promise<number> {
    for (;;) {
      const seq = (await bench.stored(job)).at(-1)?.seq ?? 0;
      try {
        return await bench.toolEvent(job, 0, seq, 'tool.cancelled.v1', { abandoned: true });
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
  }
});

describe('a paused run', () => {
  const pause = async (job: Job) => {
    await bench.runEvent(job, 'run.paused.v1', {});
    bench.signal(job);
  };
  const resume = async (job: Job) => {
    await bench.runEvent(job, 'run.resumed.v1', {});
    bench.signal(job);
  };
  const progressCount = async (job: Job) =>
    (await bench.types(job)).filter((type) => type === 'tool.progressed').length;

  it('holds its tool, outside of the tool’s timeout, and lets it go on when resumed', async () => {
    await bench.executor();
    const job = await bench.dispatch('stepper', { steps: 30, ms: 20 }, { timeout_ms: 4000, isolation: 'inline' });
    await bench.until(job, 'tool.progressed.v1');
    await pause(job);
    await sleep(300);
    const held = await progressCount(job);
    await sleep(4200);
    expect(await progressCount(job)).toBe(held);
    await resume(job);
    const end = await bench.until(job, 'tool.succeeded.v1');
    expect(end.attempt).toBe(1);
    expect(end.data.metrics.duration_ms).toBeLessThan(4000);
  });

  it('hands an idempotent tool back when it is held for long', async () => {
    await bench.executor({ TOOLSTREAM_PAUSE_HOLD_MS: '200' });
    const job = await bench.dispatch('stepper', { steps: 10_000, ms: 10 });
    await bench.until(job, 'tool.progressed.v1');
    await pause(job);
    expect(await bench.until(job, 'tool.released.v1')).toMatchObject({ data: { reason: 'paused' } });
    expect(await lifecycle(job)).toEqual(['tool.started', 'tool.released']);
    await bench.untilJobsLeft(0);
  });

  it('keeps a tool that is not idempotent, however long', async () => {
    await bench.executor({ TOOLSTREAM_PAUSE_HOLD_MS: '100' });
    const job = await bench.dispatch('stepper', { steps: 30, ms: 10 }, { idempotent: false });
    await bench.until(job, 'tool.progressed.v1');
    await pause(job);
    await sleep(1000);
    expect(await lifecycle(job)).toEqual(['tool.started']);
    await resume(job);
    expect(await bench.untilEnd(job)).toMatchObject({ type: 'tool.succeeded.v1', attempt: 1 });
  });

  it('lets a tool finish whose policy says so, and cancels it all the same', async () => {
    await bench.executor();
    const job = await bench.dispatch('stepper', { steps: 40, ms: 20 }, { pause: 'finish' });
    const long = await bench.dispatch('stepper', { steps: 10_000, ms: 20 }, { pause: 'finish', idempotent: false });
    await bench.until(job, 'tool.progressed.v1');
    await bench.until(long, 'tool.progressed.v1');
    await pause(job);
    await pause(long);
    expect(await bench.untilEnd(job)).toMatchObject({ type: 'tool.succeeded.v1', attempt: 1 });
    const before = await progressCount(long);
    await sleep(300);
    expect(await progressCount(long)).toBeGreaterThan(before);
    await bench.runEvent(long, 'run.cancel_requested.v1', cancelled);
    bench.signal(long);
    await bench.until(long, 'tool.cancelled.v1', 0, 3000);
  });

  it('hands back a tool that is not idempotent where it stands at a checkpoint: another attempt goes on from there', async () => {
    await bench.executor({ TOOLSTREAM_PAUSE_HOLD_MS: '200' });
    const job = await bench.dispatch('checkpointer', { ms: 200 }, { idempotent: false });
    await bench.until(job, 'tool.started.v1');
    await pause(job);
    expect(await bench.until(job, 'tool.released.v1')).toMatchObject({ data: { reason: 'paused' } });
    await bench.untilJobsLeft(0);
    const kept = (await bench.events(job)).findLast((event) => event.type === 'tool.checkpointed.v1');
    const next = { run: job.run, dispatch: 2, attempt: 2, idempotent: false } as const;
    const seq = (await bench.stored(job)).at(-1)!.seq;
    await resume(job);
    await bench.dispatch('checkpointer', { ms: 10 }, { ...next, tool_seq: seq, checkpoint: kept!.data.state });
    expect(await bench.until(job, 'tool.succeeded.v1')).toMatchObject({ attempt: 2, data: { result: { from: 1 } } });
  });

  it('can be cancelled while it holds its tool', async () => {
    await bench.executor();
    const job = await bench.dispatch('stepper', { steps: 10_000, ms: 10 }, { idempotent: false });
    await bench.until(job, 'tool.progressed.v1');
    await pause(job);
    await sleep(300);
    await bench.runEvent(job, 'run.cancel_requested.v1', cancelled);
    bench.signal(job);
    await bench.until(job, 'tool.cancelled.v1', 0, 3000);
    expect(await lifecycle(job)).toEqual(STOPPED);
  });
});
