import { setTimeout as sleep } from 'node:timers/promises';
import { TIMERS_STREAM } from '@toolstream/proto-events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { calls } from './given.ts';
import { hooked, World } from './harness.ts';

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.stop());

/** Longer than an orchestrator waits before it sets a timer that lies far ahead. */
const QUIET_MS = 300;

const waiting = async (): Promise<number> => (await world.jsm.streams.info(TIMERS_STREAM)).state.messages;

const never = new Promise<never>(() => {});
const withoutTimers = {
  around: (log: Parameters<ReturnType<typeof hooked>>[0]) => ({ ...hooked(() => {})(log), publishTimer: () => never }),
};

describe('timers that lie far ahead', () => {
  it('are never set for a run that ends at once', async () => {
    const set: string[] = [];
    await world.orchestrator('a', {
      around: (log) => ({
        ...hooked(() => {})(log),
        publishTimer: (timer, timeoutMs) => {
          set.push(timer.kind);
          return log.publishTimer(timer, timeoutMs);
        },
      }),
    });
    // Its deadline is a minute away, its expiry days.
    expect((await world.work(await world.accepted({ calls: calls(1) }))).status).toBe('succeeded');
    await sleep(QUIET_MS);
    expect(set).toEqual([]);
  });

  it('are set for one that goes on, and taken away when it has ended', async () => {
    await world.orchestrator('a');
    const run = await world.accepted({ calls: calls(1) });
    await expect.poll(waiting).toBe(2);
    expect((await world.work(run)).status).toBe('succeeded');
    await expect.poll(waiting).toBe(0);
  });

  it('are set by another orchestrator when this one dies before', async () => {
    const dying = await world.orchestrator('a', withoutTimers);
    const run = await world.accepted({ calls: calls(1) });
    await world.until(run, ({ tools }) => tools.every(({ status }) => status === 'queued'));
    await sleep(QUIET_MS);
    expect(await waiting()).toBe(0);
    await dying.kill();
    await world.orchestrator('b');
    await expect.poll(waiting, { timeout: 10_000 }).toBe(2);
  });

  it('hold nothing up while they cannot be stored', async () => {
    const stuck = await world.orchestrator('a', withoutTimers);
    const state = await world.work(await world.accepted({ calls: calls(3), mode: 'sequential' }));
    expect(state.status).toBe('succeeded');
    await stuck.kill();
  });
});
