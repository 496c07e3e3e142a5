import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Bench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
afterEach(() => bench.stopExecutors());
afterAll(() => bench.stop());

const LEASE = { TOOLSTREAM_LEASE_MS: '600' };

describe('a lease', () => {
  it('is kept while a tool computes for several leases without a pause', async () => {
    await bench.executor(LEASE);
    await bench.executor(LEASE);
    const job = await bench.dispatch('spinner', { ms: 2500 });
    expect(await bench.untilEnd(job)).toMatchObject({ type: 'tool.succeeded.v1', attempt: 1 });
    expect(await bench.types(job)).toEqual(['tool.started', 'tool.succeeded']);
    await bench.untilJobsLeft(0);
  });

  it('runs out when the executor is killed: another one takes over', async () => {
    const victim = await bench.process(LEASE);
    const job = await bench.dispatch('stepper', { steps: 20, ms: 50 });
    await bench.until(job, 'tool.progressed.v1');
    victim.kill('SIGKILL');
    await bench.executor(LEASE);
    expect(await bench.untilEnd(job)).toMatchObject({ type: 'tool.succeeded.v1', attempt: 2 });
    const attempts = (await bench.events(job)).map((event) => event.attempt ?? 0);
    expect(attempts).toEqual([...attempts].sort());
    await bench.untilJobsLeft(0);
  });

  it('that ran out in a frozen executor leaves a zombie that can write nothing more', async () => {
    const zombie = await bench.process(LEASE);
    const job = await bench.dispatch('stepper', { steps: 1000, ms: 20 });
    await bench.until(job, 'tool.progressed.v1');
    zombie.kill('SIGSTOP');
    const other = await bench.executor(LEASE);
    const takenOver = await untilAttempt(job, 2);
    zombie.kill('SIGCONT');
    await sleep(1000);
    const behind = async () => (await bench.stored(job)).filter((stored) => stored.seq > takenOver);
    await expect.poll(async () => (await behind()).length, { timeout: 15_000 }).toBeGreaterThan(5);
    const after = await behind();
    expect(new Set(after.map((stored) => stored.event().attempt))).toEqual(new Set([2]));
    // The zombie has stopped its tool and serves others again.
    await other.stop();
    const next = await bench.dispatch('noop', {}, { isolation: 'inline' });
    await bench.untilEnd(next);
  });

  it('that runs out without the attempt dying is answered by the attempt itself', async () => {
    const executor = await bench.process(LEASE);
    const job = await bench.dispatch('stepper', { steps: 40, ms: 50 });
    await bench.until(job, 'tool.progressed.v1');
    executor.kill('SIGSTOP');
    await sleep(1500);
    executor.kill('SIGCONT');
    expect(await bench.untilEnd(job)).toMatchObject({ type: 'tool.succeeded.v1', attempt: 1 });
    expect((await bench.types(job)).filter((type) => type === 'tool.started')).toHaveLength(1);
    await bench.untilJobsLeft(0);
  });

  async function untilAttempt(job: Parameters<Bench['events']>[0], attempt: number): Promise<number> {
    for (let tries = 0; tries < 300; tries++) {
      const found = (await bench.stored(job)).find((stored) => stored.event().attempt === attempt);
      if (found) return found.seq;
      await sleep(20);
    }
    throw new Error(`attempt ${attempt} never began`);
  }
});
