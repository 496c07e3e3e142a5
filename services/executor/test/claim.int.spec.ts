import { jobSubject } from '@toolstream/proto-events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Bench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
afterEach(() => bench.stopExecutors());
afterAll(() => bench.stop());

const started = { dispatch: 1, executor: 'lost', queue_ms: 0 };
const LEASE = { TOOLSTREAM_LEASE_MS: '400' };

describe('a first delivery', () => {
  it('is claimed, run to its end and acknowledged', async () => {
    await bench.executor(LEASE);
    const job = await bench.dispatch('noop', { value: [1] }, { isolation: 'inline', attempt: 3 });
    expect(await bench.untilEnd(job)).toMatchObject({
      type: 'tool.succeeded.v1',
      attempt: 3,
      data: {
        result: { value: [1], attempt: 3 },
        metrics: { duration_ms: expect.any(Number), queue_ms: expect.any(Number) },
      },
    });
    expect(await bench.types(job)).toEqual(['tool.started', 'tool.succeeded']);
    expect((await bench.stored(job)).map((stored) => stored.job)).toEqual([job.job_id, job.job_id]);
    await bench.untilJobsLeft(0);
  });

  it('is dropped when a command took the tool call away before it was claimed', async () => {
    const job = await bench.dispatch('noop', {}, { isolation: 'inline' });
    await bench.toolEvent(job, 0, 0, 'tool.skipped.v1', { reason: 'cancelled' });
    await bench.executor(LEASE);
    await bench.untilJobsLeft(0);
    expect(await bench.types(job)).toEqual(['tool.skipped']);
  });

  it.each([1, 2])('of a second copy of the job leaves the first one alone (%i executors)', async (executors) => {
    for (let i = 0; i < executors; i++) await bench.executor({ ...LEASE, SLOTS: '2' });
    const job = await bench.dispatch('stepper', { steps: 30, ms: 50 });
    await bench.until(job, 'tool.started.v1');
    // Beyond the duplicate window the queue takes the same job again.
    bench.nc.publish(jobSubject('default', 'normal', job.tenant), JSON.stringify(job));
    await bench.untilEnd(job);
    await bench.untilJobsLeft(0);
    expect((await bench.types(job)).filter((type) => type !== 'tool.progressed')).toEqual([
      'tool.started',
      'tool.succeeded',
    ]);
  });

  it('that is no job at all is given up, and the executor goes on', async () => {
    await bench.executor(LEASE);
    bench.nc.publish('ts.job.default.normal.0.acme', 'not json');
    const job = await bench.dispatch('noop', {}, { isolation: 'inline' });
    await bench.untilEnd(job);
    await bench.untilJobsLeft(0);
  });
});

describe('a redelivered job', () => {
  it('that nobody had claimed is claimed as a first one is', async () => {
    const job = await bench.dispatch('noop', {}, { isolation: 'inline' });
    await bench.takeAndForget(job);
    await bench.executor(LEASE);
    expect(await bench.untilEnd(job)).toMatchObject({ type: 'tool.succeeded.v1', attempt: 1 });
    await bench.untilJobsLeft(0);
  });

  it('takes over its own unfinished attempt as the next one', async () => {
    const job = await bench.dispatch('noop', {}, { isolation: 'inline' });
    await bench.takeAndForget(job);
    const seq = await bench.toolEvent(job, 0, 0, 'tool.started.v1', started, job.job_id);
    await bench.toolEvent(job, 0, seq, 'tool.progressed.v1', { stage: 'a' }, job.job_id);
    await bench.executor(LEASE);
    expect(await bench.untilEnd(job)).toMatchObject({ type: 'tool.succeeded.v1', attempt: 2 });
    expect(await bench.types(job)).toEqual(['tool.started', 'tool.progressed', 'tool.started', 'tool.succeeded']);
    await bench.untilJobsLeft(0);
  });

  it('whose end is in the log is acknowledged and not run again: its acknowledgement was lost', async () => {
    const job = await bench.dispatch('noop', {}, { isolation: 'inline' });
    await bench.takeAndForget(job);
    const seq = await bench.toolEvent(job, 0, 0, 'tool.started.v1', started, job.job_id);
    await bench.toolEvent(job, 0, seq, 'tool.succeeded.v1', { result: 1, metrics: {} }, job.job_id);
    await bench.executor(LEASE);
    await bench.untilJobsLeft(0);
    expect(await bench.types(job)).toEqual(['tool.started', 'tool.succeeded']);
  });

  it('whose attempt was handed back is dropped: another job follows', async () => {
    const job = await bench.dispatch('noop', {}, { isolation: 'inline' });
    await bench.takeAndForget(job);
    const seq = await bench.toolEvent(job, 0, 0, 'tool.started.v1', started, job.job_id);
    await bench.toolEvent(job, 0, seq, 'tool.released.v1', { reason: 'drain' }, job.job_id);
    await bench.executor(LEASE);
    await bench.untilJobsLeft(0);
    expect(await bench.types(job)).toEqual(['tool.started', 'tool.released']);
  });

  it('is dropped when the attempt in the log is another job’s', async () => {
    const job = await bench.dispatch('noop', {}, { isolation: 'inline' });
    await bench.takeAndForget(job);
    await bench.toolEvent(job, 0, 0, 'tool.started.v1', started, 'another-job', 2);
    await bench.executor(LEASE);
    await bench.untilJobsLeft(0);
    expect(await bench.types(job)).toEqual(['tool.started']);
  });

  it('of a retry claims behind the failure that it was dispatched after', async () => {
    const run = bench.newRun();
    const first = await bench.toolEvent(run, 0, 0, 'tool.started.v1', started, 'first-job');
    const error = { code: 'tool_error', message: 'x' };
    const failed = await bench.toolEvent(run, 0, first, 'tool.failed.v1', { error, retryable: true }, 'first-job');
    const job = await bench.dispatch(
      'noop',
      {},
      { isolation: 'inline', run: run.run, dispatch: 2, attempt: 2, tool_seq: failed },
    );
    await bench.takeAndForget(job);
    await bench.executor(LEASE);
    expect(await bench.untilEnd(job)).toBeDefined();
    await bench.until(job, 'tool.succeeded.v1');
    await bench.untilJobsLeft(0);
  });

  it('of a tool that is not idempotent is handed to a person once its attempt had begun', async () => {
    const job = await bench.dispatch('noop', {}, { isolation: 'inline', idempotent: false });
    await bench.takeAndForget(job);
    await bench.toolEvent(job, 0, 0, 'tool.started.v1', started, job.job_id);
    await bench.executor(LEASE);
    expect(await bench.until(job, 'tool.released.v1')).toMatchObject({ attempt: 1, data: { reason: 'lost' } });
    await bench.untilJobsLeft(0);
    expect(await bench.types(job)).toEqual(['tool.started', 'tool.released']);
  });

  it('of a tool that is not idempotent runs when it had not begun', async () => {
    const job = await bench.dispatch('noop', {}, { isolation: 'inline', idempotent: false });
    await bench.takeAndForget(job);
    await bench.executor(LEASE);
    expect(await bench.untilEnd(job)).toMatchObject({ type: 'tool.succeeded.v1', attempt: 1 });
  });
});
