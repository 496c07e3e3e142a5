import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { bucketOfTenant, type Job, TOOLS_BUCKET, type ToolDefinition } from '@toolstream/proto-events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Bench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
afterEach(() => bench.stopExecutors());
afterAll(() => bench.stop());

const inline = { isolation: 'inline' } as const;

describe('an executor with N slots', () => {
  it('holds at most N jobs, and leaves the others to its neighbours', async () => {
    const jobs = await Promise.all(Array.from({ length: 40 }, () => bench.dispatch('deaf', { ms: 150 }, inline)));
    const [first, second] = [await bench.executor({ SLOTS: '3' }), await bench.executor({ SLOTS: '5' })];
    let most = [0, 0];
    let outstanding = 0;
    while ((await bench.jobsLeft()) > 0) {
      most = [Math.max(most[0]!, first.busy), Math.max(most[1]!, second.busy)];
      outstanding = Math.max(outstanding, await ackPending());
      await sleep(10);
    }
    expect(most[0]).toBe(3);
    expect(most[1]).toBe(5);
    expect(outstanding).toBeLessThanOrEqual(8);
    for (const job of jobs) expect(await bench.types(job)).toEqual(['tool.started', 'tool.succeeded']);
  });

  it('serves every bucket and priority while one floods', async () => {
    const elsewhere = ['t1', 't2', 't3', 't4', 't5'].filter(
      (tenant) => bucketOfTenant(tenant) !== bucketOfTenant('acme'),
    );
    const flood = await Promise.all(Array.from({ length: 150 }, () => bench.dispatch('deaf', { ms: 20 }, inline)));
    const others = await Promise.all([
      ...elsewhere.map((tenant) => bench.dispatch('noop', {}, { ...inline, tenant })),
      bench.dispatch('noop', {}, { ...inline, priority: 'high' }),
      bench.dispatch('noop', {}, { ...inline, priority: 'low' }),
    ]);
    await bench.executor({ SLOTS: '2' });
    await bench.untilJobsLeft(0, 20_000);
    const startOf = async (job: Job) => (await bench.stored(job))[0]?.seq ?? 0;
    const floodStarts = (await Promise.all(flood.map(startOf))).sort((a, b) => a - b);
    const middle = floodStarts[75]!;
    for (const job of others) expect(await startOf(job)).toBeLessThan(middle);
  });

  it('finds work with a single slot, wherever it is', async () => {
    await bench.executor({ SLOTS: '1' });
    for (const tenant of ['t1', 't2', 't3', 't4', 't5']) {
      const job = await bench.dispatch('noop', {}, { ...inline, tenant });
      await bench.untilEnd(job, 0, 2000);
    }
  });
});

describe('an executor', () => {
  it('announces its tools before it is ready', async () => {
    await bench.executor();
    const entry = await (await new Kvm(bench.nc).open(TOOLS_BUCKET)).get('default.os-write');
    expect(entry?.json<ToolDefinition>()).toMatchObject({ name: 'os-write', pool: 'default', idempotent: true });
  });

  it('makes its consumers anew when somebody deletes them', async () => {
    await bench.executor();
    const jsm = await jetstreamManager(bench.nc);
    for await (const consumer of jsm.consumers.list('JOBS')) await jsm.consumers.delete('JOBS', consumer.name);
    const job = await bench.dispatch('noop', {}, inline);
    await bench.untilEnd(job, 0, 8000);
  });

  it('goes on after the server was killed and came back, with the attempt that was running', async () => {
    await bench.executor();
    const running = await bench.dispatch('stepper', { steps: 100, ms: 20 });
    await bench.until(running, 'tool.progressed.v1');
    await bench.nats.kill9();
    await sleep(500);
    await bench.nats.restart();
    expect(await bench.untilEnd(running, 0, 20_000)).toMatchObject({ type: 'tool.succeeded.v1', attempt: 1 });
    const next = await bench.dispatch('noop', {}, inline);
    await bench.untilEnd(next, 0, 10_000);
    await bench.untilJobsLeft(0, 10_000);
  });

  it('in a process of its own hands back what may run elsewhere and ends in order on SIGTERM', async () => {
    const child = await bench.process();
    const job = await bench.dispatch('stepper', { steps: 10_000, ms: 10 });
    await bench.until(job, 'tool.progressed.v1');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect((await bench.events(job)).at(-1)).toMatchObject({ type: 'tool.released.v1', data: { reason: 'drain' } });
    await bench.untilJobsLeft(0);
  });
});

describe('an executor that stops', () => {
  it('lets what is running finish within its drain time', async () => {
    const executor = await bench.executor({ TOOLSTREAM_DRAIN_MS: '3000' });
    const job = await bench.dispatch('stepper', { steps: 20, ms: 20 });
    await bench.until(job, 'tool.progressed.v1');
    await executor.stop();
    expect((await bench.events(job)).at(-1)).toMatchObject({ type: 'tool.succeeded.v1' });
  });

  it('gives a tool that must not run twice all the time there is', async () => {
    const executor = await bench.executor({ TOOLSTREAM_DRAIN_MS: '0', TOOLSTREAM_STOP_MS: '5000' });
    const job = await bench.dispatch('stepper', { steps: 60, ms: 20 }, { idempotent: false });
    await bench.until(job, 'tool.progressed.v1');
    await executor.stop();
    expect((await bench.events(job)).at(-1)).toMatchObject({ type: 'tool.succeeded.v1', attempt: 1 });
  });

  it('appends nothing for a tool that must not run twice and takes too long: it is lost, and a person decides', async () => {
    const executor = await bench.executor({ TOOLSTREAM_DRAIN_MS: '0', TOOLSTREAM_STOP_MS: '300' });
    const job = await bench.dispatch('stepper', { steps: 10_000, ms: 10 }, { idempotent: false });
    await bench.until(job, 'tool.progressed.v1');
    await executor.stop();
    const types = await bench.types(job);
    expect(types.filter((type) => type !== 'tool.progressed')).toEqual(['tool.started']);
    await bench.executor();
    expect(await bench.until(job, 'tool.released.v1')).toMatchObject({ data: { reason: 'lost' } });
    await bench.untilJobsLeft(0);
  });

  it('takes no more jobs', async () => {
    const executor = await bench.executor();
    await executor.stop();
    const job = await bench.dispatch('noop', {}, inline);
    await sleep(600);
    expect(await bench.types(job)).toEqual([]);
    await bench.executor();
    expect(await bench.untilEnd(job)).toMatchObject({ attempt: 1 });
  });
});

async function ackPending(): Promise<number> {
  let total = 0;
  for await (const consumer of (await jetstreamManager(bench.nc)).consumers.list('JOBS'))
    total += consumer.num_ack_pending;
  return total;
}
