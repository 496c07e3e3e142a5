import { isConflict } from '@toolstream/event-log';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { calls, endsOf } from './given.ts';
import { hooked, type Running, World } from './harness.ts';
import type { HeldJob } from './held-job.ts';

const refused = (append: Promise<number>): Promise<boolean> =>
  append.then(
    () => false,
    (error: unknown) => isConflict(error),
  );

describe('a command and a claim at the same moment', () => {
  let world: World;
  /** Runs once, between the decision on a tool's own subject and its append. */
  let between: (() => Promise<void>) | undefined;
  let held: HeldJob;

  beforeEach(async () => {
    world = await World.start();
    between = undefined;
    await world.orchestrator('a', {
      around: hooked(async (_event, writer) => {
        if (writer === 'run' || !between) return;
        const race = between;
        between = undefined;
        await race();
      }),
    });
  });
  afterEach(() => world.stop());

  it('cancel: the claim that came first is kept, and its attempt ends the call', async () => {
    const run = await world.accepted({ calls: calls(1) });
    held = await world.mustTakeJob();
    between = async () => void (await held.claim());
    await world.command('cancel', run.run);
    const state = await world.until(run, ({ tools }) => tools[0]?.status === 'running');
    expect(state.status).toBe('cancelling');
    await held.append('tool.cancelled.v1', {});
    expect((await world.ended(run)).status).toBe('cancelled');
    expect((await world.types(run)).filter((type) => type === 'tool.cancelled.v1')).toHaveLength(1);
  });

  it('cancel: a claim that comes second is fenced out', async () => {
    const run = await world.accepted({ calls: calls(1) });
    held = await world.mustTakeJob();
    await world.command('cancel', run.run);
    expect((await world.ended(run)).status).toBe('cancelled');
    expect(await refused(held.claim())).toBe(true);
    expect(await world.types(run)).not.toContain('tool.started.v1');
  });

  it('cancel of one call: exactly one of it and the claim wins', async () => {
    const run = await world.accepted({ calls: calls(2) });
    await world.until(run, ({ tools }) => tools.every(({ status }) => status === 'queued'));
    held = await world.mustTakeJob();
    between = async () => void (await held.claim());
    await world.command('cancel_tool', run.run, { index: held.job.index });
    await world.until(run, ({ tools }) => tools[held.job.index]?.status === 'running');
    await held.append('tool.cancelled.v1', {});
    held.message.ack();
    const state = await world.work(run);
    expect(state.status).toBe('failed');
    expect(state.tools.map(({ status }) => status).sort()).toEqual(['cancelled', 'succeeded']);
  });

  it('pause: a claimed call stays with its attempt, an unclaimed one is taken back', async () => {
    const run = await world.accepted({ calls: calls(3) });
    await world.until(run, ({ tools }) => tools.every(({ status }) => status === 'queued'));
    held = await world.mustTakeJob();
    between = async () => void (await held.claim());
    await world.command('pause', run.run);
    const state = await world.until(run, ({ tools }) => tools.filter((t) => t.status === 'pending').length === 2);
    expect(state.tools[held.job.index]?.status).toBe('running');
    expect(state.status).toBe('paused');
    const taken = await world.mustTakeJob();
    expect(await refused(taken.claim())).toBe(true);
    taken.message.ack();
    (await world.mustTakeJob()).message.ack();

    await world.command('resume', run.run);
    await held.succeed();
    held.message.ack();
    const ended = await world.work(run);
    expect(ended.status).toBe('succeeded');
    expect(ended.tools.map(({ dispatch }) => dispatch).sort()).toEqual([1, 2, 2]);
  });

  it('pause: nothing new is sent out until resume', async () => {
    const run = await world.accepted({ calls: calls(2), mode: 'sequential' });
    held = await world.mustTakeJob();
    await held.claim();
    await world.command('pause', run.run);
    await held.succeed();
    held.message.ack();
    await world.until(run, ({ tools }) => tools[0]?.status === 'succeeded');
    expect(await world.takeJob({ expires: 1_000 })).toBeUndefined();
    await world.command('resume', run.run);
    const next = await world.mustTakeJob();
    expect(next.job.index).toBe(1);
    await next.runToSuccess();
    expect((await world.ended(run)).status).toBe('succeeded');
  });
});

describe('two orchestrators', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.start();
  });
  afterEach(() => world.stop());

  it('at the ends of the last two calls end the run exactly once', async () => {
    let overtaken = false;
    let other: Running | undefined;
    await world.orchestrator('a', {
      around: hooked(async (event) => {
        if (event.type !== 'run.succeeded.v1' || overtaken) return;
        overtaken = true;
        // Between this one's decision and its append the other one sees both ends and ends the run.
        await other?.app.sweep.sweep();
      }),
    });
    other = await world.orchestrator('b');
    const run = await world.accepted({ calls: calls(2) });
    world.answerLive([{ ...run, seq: 0 }]);
    const [one, two] = [await world.mustTakeJob(), await world.mustTakeJob()];
    await Promise.all([one.claim(), two.claim()]);
    await Promise.all([one.succeed(), two.succeed()]);
    await world.ended(run);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(overtaken).toBe(true);
    const events = await world.events(run);
    expect(endsOf(events.map(({ type }) => type))).toEqual(['run.succeeded.v1']);
    expect(events.at(-1)?.event().source).toBe('toolstream/b');
  });

  it('leave a run to the one that accepted it while it sends out the jobs, also when calls end meanwhile', async () => {
    const slow = hooked(async (event) => {
      if (event.type === 'tool.queued.v1') await new Promise((resolve) => setTimeout(resolve, 30));
    });
    await world.orchestrator('a', { around: slow });
    await world.orchestrator('b', { around: slow });
    const acceptors = new Set<string>();
    for (let i = 0; i < 40 && (i < 4 || acceptors.size < 2); i++) {
      const run = await world.accepted({ calls: calls(6) });
      await (await world.mustTakeJob()).runToSuccess();
      expect((await world.work(run)).status).toBe('succeeded');
      const events = (await world.events(run)).map((stored) => stored.event());
      const acceptor = events[0]?.source ?? '';
      acceptors.add(acceptor);
      const queued = events.filter(({ type }) => type === 'tool.queued.v1');
      expect(queued.map(({ source }) => source)).toEqual(Array(6).fill(acceptor));
    }
    // One of the two reacts to everything; with both as acceptors it has met another’s runs.
    expect(acceptors.size).toBe(2);
  });
});
