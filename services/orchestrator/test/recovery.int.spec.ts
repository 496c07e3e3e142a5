import { once } from 'node:events';
import { Kvm } from '@nats-io/kv';
import { type DeadLetter, JOBS_STREAM } from '@toolstream/proto-events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEAD_LETTERS_BUCKET } from '../src/index.ts';
import { APP, calls, endsOf, TENANT, tool } from './given.ts';
import { hooked, World } from './harness.ts';

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.stop());

const never = new Promise<never>(() => {});

describe('an orchestrator that dies', () => {
  it('between the event and its job: another one sends the job out', async () => {
    const dying = await world.orchestrator('a', {
      around: (log) => ({ ...hooked(() => {})(log), publishJob: () => never }),
    });
    const run = await world.accepted({ calls: calls(3) });
    await world.until(run, ({ tools }) => tools.every(({ status }) => status === 'queued'));
    expect(await world.jobsWaiting()).toBe(0);
    await dying.kill();
    await world.orchestrator('b');
    expect((await world.work(run)).status).toBe('succeeded');
    expect((await world.types(run)).filter((type) => type === 'tool.queued.v1')).toHaveLength(3);
  });

  it('right after run.accepted: another one does all the rest', async () => {
    const dying = await world.orchestrator('a', {
      around: hooked((event) => (event.type === 'run.accepted.v1' ? undefined : never)),
    });
    const run = await world.accepted({ calls: calls(3) });
    await dying.kill();
    await world.orchestrator('b');
    const state = await world.work(run);
    expect(state.status).toBe('succeeded');
    expect(endsOf(await world.types(run))).toHaveLength(1);
  });

  it('in the middle of sending out: another one sends the rest, and nothing twice', async () => {
    let queued = 0;
    const dying = await world.orchestrator('a', {
      around: hooked((event) => (event.type === 'tool.queued.v1' && ++queued > 4 ? never : undefined)),
    });
    const run = await world.accepted({ calls: calls(10) });
    await world.until(run, ({ tools }) => tools.filter(({ status }) => status === 'queued').length === 4);
    await dying.kill();
    await world.orchestrator('b');
    await world.until(run, ({ tools }) => tools.every(({ status }) => status === 'queued'));
    expect((await world.work(run)).status).toBe('succeeded');
    expect((await world.types(run)).filter((type) => type === 'tool.queued.v1')).toHaveLength(10);
    expect(await world.jobsWaiting()).toBe(0);
  });

  it('after a command’s event: another one does what follows from it', async () => {
    const dying = await world.orchestrator('a', {
      around: hooked((event) => (event.type === 'tool.cancelled.v1' ? never : undefined)),
    });
    const run = await world.accepted({ calls: calls(2) });
    await world.until(run, ({ tools }) => tools.every(({ status }) => status === 'queued'));
    expect((await world.command('cancel', run.run)).ok).toBe(true);
    await dying.kill();
    await world.orchestrator('b');
    expect((await world.ended(run)).status).toBe('cancelled');
  });

  it('while calls run: their ends are reacted to by the one that takes over', async () => {
    const dying = await world.orchestrator('a');
    const run = await world.accepted({ calls: calls(2), mode: 'sequential' });
    const held = await world.mustTakeJob();
    await held.claim();
    await dying.kill();
    await held.succeed();
    held.message.ack();
    const late = await world.orchestrator('b');
    const next = await world.mustTakeJob();
    expect(next.job.index).toBe(1);
    await next.claim();
    await late.kill();
    await world.orchestrator('c');
    await next.succeed();
    expect((await world.ended(run)).status).toBe('succeeded');
  });

  it('and the standby that was there all along takes over within seconds', async () => {
    const active = await world.orchestrator('a');
    await world.accepted({ calls: calls(1) }).then((run) => world.work(run));
    await world.orchestrator('b');
    const run = await world.accepted({ calls: calls(3), mode: 'sequential' });
    const held = await world.mustTakeJob();
    await active.kill();
    const began = performance.now();
    await held.runToSuccess();
    expect((await world.work(run)).status).toBe('succeeded');
    expect(performance.now() - began).toBeLessThan(12_000);
  });
});

describe('a process', () => {
  it('killed with SIGKILL costs seconds and no run; told to stop it exits with 0', async () => {
    await world.jobs();
    const first = await world.process('orchestrator-1');
    const submitted = Array.from({ length: 6 }, (_, i) =>
      world.accepted({ calls: calls(6), mode: i % 2 ? 'sequential' : 'parallel' }),
    );
    const runs = await Promise.all(submitted);
    first.kill('SIGKILL');
    const working = Promise.all(runs.map((run) => world.work(run, 25_000)));
    const second = await world.process('orchestrator-1');
    for (const state of await working) expect(state.status).toBe('succeeded');
    for (const run of runs) expect(endsOf(await world.types(run))).toHaveLength(1);
    second.kill('SIGTERM');
    expect(await once(second, 'exit')).toEqual([0, null]);
  });
});

describe('an orchestrator that stops in order', () => {
  it('hands over, and what ran meanwhile goes on', async () => {
    const first = await world.orchestrator('a');
    const second = await world.orchestrator('b');
    const runs = await Promise.all(
      Array.from({ length: 5 }, () => world.accepted({ calls: calls(4), mode: 'sequential' })),
    );
    const working = Promise.all(runs.map((run) => world.work(run)));
    await first.stop();
    for (const state of await working) expect(state.status).toBe('succeeded');
    await second.stop();
    for (const run of runs) expect(endsOf(await world.types(run))).toHaveLength(1);
  });
});

describe('a server that dies and comes back', () => {
  it('loses no run', async () => {
    await world.orchestrator('a');
    await world.jobs();
    const run = await world.accepted({ calls: calls(20) });
    await world.server.kill9();
    await world.server.restart();
    const state = await world.work(run, 30_000);
    expect(state.status).toBe('succeeded');
    expect(endsOf(await world.types(run))).toHaveLength(1);
  });
});

describe('timers', () => {
  it('retry a call after its delay, also when the orchestrator was away meanwhile', async () => {
    await world.announce(tool('flaky', { retries: { max_attempts: 2, initial_ms: 1_000, factor: 1, max_ms: 1_000 } }));
    const first = await world.orchestrator('a');
    const run = await world.accepted({ calls: calls(1, 'flaky') });
    const held = await world.mustTakeJob();
    await held.claim();
    await held.fail(true);
    held.message.ack();
    await world.until(run, ({ tools }) => tools[0]?.retry_at !== undefined);
    await first.kill();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await world.orchestrator('b');
    const again = await world.mustTakeJob();
    expect(again.job).toMatchObject({ dispatch: 2, attempt: 2 });
    await again.runToSuccess();
    expect((await world.ended(run)).status).toBe('succeeded');
  });

  it('end a run whose running time is used up, pauses outside', async () => {
    await world.orchestrator('a', { env: { TOOLSTREAM_RUN_TIMEOUT: '1500ms' } });
    const run = await world.accepted({ calls: calls(2), mode: 'sequential' });
    const held = await world.mustTakeJob();
    await held.claim();
    await world.command('pause', run.run);
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    expect((await world.state(run))?.status).toBe('paused');
    await world.command('resume', run.run);
    await world.until(run, ({ status }) => status === 'cancelling');
    await held.append('tool.cancelled.v1', {});
    const state = await world.ended(run);
    expect(state.status).toBe('failed');
    expect(state.error?.code).toBe('run_timeout');
  });

  it('end a run that is too old, pauses included', async () => {
    await world.orchestrator('a', { env: { TOOLSTREAM_MAX_RUN_AGE: '1s' } });
    const run = await world.accepted({ calls: calls(1) });
    await world.command('pause', run.run);
    const state = await world.ended(run);
    expect(state.error?.code).toBe('run_expired');
  });

  it('take a call from an executor that does not obey a cancel', async () => {
    await world.orchestrator('a');
    const run = await world.accepted({ calls: calls(1) });
    const held = await world.mustTakeJob();
    await held.claim();
    await world.command('cancel', run.run);
    const state = await world.ended(run, 20_000);
    expect(state.status).toBe('cancelled');
    await expect(held.succeed()).rejects.toThrow(/fenced/);
  }, 40_000);
});

describe('a job that is delivered too often', () => {
  it('ends its call, is kept aside, and leaves its queue', async () => {
    await world.orchestrator('a');
    await world.jobs({ maxDeliver: 2, ackWaitMs: 300 });
    const run = await world.accepted({ calls: calls(1) });
    const held = await world.takeJob();
    await held?.claim();
    await world.takeJob({ expires: 2_000 });
    await world.takeJob({ expires: 1_000 });
    const state = await world.ended(run);
    expect(state.tools[0]?.error?.code).toBe('dead_letter');
    await expect(held?.succeed()).rejects.toThrow(/fenced/);
    const bucket = await new Kvm(world.nc).open(DEAD_LETTERS_BUCKET);
    const kept = (await bucket.get(`${TENANT}.${APP}.${held?.job.job_id}`))?.json<DeadLetter>();
    expect(kept).toMatchObject({ reason: 'max_deliveries', deliveries: 2, started: true, job: held?.job });
    expect(await world.jobsWaiting()).toBe(0);
  });
});

describe('a sweep', () => {
  it('sends out again what its stream has lost', async () => {
    const first = await world.orchestrator('a');
    const run = await world.accepted({ calls: calls(3) });
    await world.until(run, ({ tools }) => tools.every(({ status }) => status === 'queued'));
    await first.stop();
    await world.jsm.streams.purge(JOBS_STREAM);
    await world.jsm.streams.update(JOBS_STREAM, { duplicate_window: 100_000_000 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    world.answerLive([{ ...run, seq: 0 }]);
    await world.orchestrator('b', { around: (log) => hooked(() => {})(log) });
    expect((await world.work(run)).status).toBe('succeeded');
  });
});
