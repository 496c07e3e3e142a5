import { describe, expect, it } from 'vitest';
import { ladderOf } from '../src/feeds/ladder.ts';
import { type Acknowledging, Acks } from '../src/socket/acks.ts';

const ladder = ladderOf(512 * 1024, 30_000);
const cursorAt = (seq: number, epoch = 'e'): string => `${epoch}.0:${seq}`;

/** A client with subscriptions, as far as acknowledging goes. */
function client(...names: string[]) {
  const subscriptions = names.map((name) => {
    const steps: (string | undefined)[] = [];
    return {
      name,
      cursor: cursorAt(1),
      emittedAt: undefined as number | undefined,
      steps,
      lags: (step: Parameters<Acknowledging['lags']>[0]) => {
        steps.push(step);
      },
    };
  });
  const acknowledged: number[] = [];
  const acks = new Acks({
    ladder,
    subscriptions: () => subscriptions,
    onAcknowledged: (lagMs) => acknowledged.push(lagMs),
  });
  return { acks, subscriptions, acknowledged };
}

/** One that has shown already that it answers pings; the time is then 0. */
function known(...names: string[]) {
  const made = client(...names);
  made.acks.pinged(-2_000);
  made.acks.answered(undefined, -1_990);
  return made;
}

describe('a ping', () => {
  it('is due when something was sent since the one before, one at a time and at most one a second', () => {
    const { acks, subscriptions } = client('r');
    expect(acks.due(0)).toBe(true);
    acks.pinged(0);
    expect(acks.due(5_000)).toBe(false);
    acks.answered(undefined, 5_000);
    expect(acks.due(5_000)).toBe(false);
    subscriptions[0]!.cursor = cursorAt(2);
    expect(acks.due(5_000)).toBe(true);
    acks.pinged(5_000);
    acks.answered(undefined, 5_010);
    subscriptions[0]!.cursor = cursorAt(3);
    expect(acks.due(5_999)).toBe(false);
    expect(acks.due(6_000)).toBe(true);
  });

  it('is due again and again while the client has not applied what it read', () => {
    const { acks } = client('r');
    acks.pinged(0);
    acks.answered({ r: cursorAt(0) }, 10);
    expect(acks.due(1_000)).toBe(true);
    acks.pinged(1_000);
    acks.answered({ r: cursorAt(1) }, 1_010);
    expect(acks.due(2_000)).toBe(false);
  });
});

describe('lag', () => {
  it('is the time since the oldest ping that is not answered, and goes step by step', () => {
    const { acks, subscriptions } = known('r');
    const [{ steps }] = subscriptions as [(typeof subscriptions)[0]];
    subscriptions[0]!.cursor = cursorAt(2);
    acks.pinged(0);
    expect([acks.judge(1_000), steps]).toEqual(['ok', []]);
    expect([acks.judge(1_001), steps]).toEqual(['ok', ['fold']]);
    expect([acks.judge(9_000), steps]).toEqual(['ok', ['fold']]);
    expect([acks.judge(10_001), steps]).toEqual(['ok', ['fold', 'snapshot']]);
    expect(acks.judge(30_000)).toBe('ok');
    expect(acks.judge(30_001)).toBe('close');
    acks.answered(undefined, 30_002);
    expect([acks.judge(30_002), steps]).toEqual(['ok', ['fold', 'snapshot', undefined]]);
  });

  it('does not begin with a heartbeat behind which nothing was sent', () => {
    const { acks, subscriptions } = known('r');
    acks.pinged(0);
    expect(acks.judge(60_000)).toBe('ok');
    expect(subscriptions[0]!.steps).toEqual([]);
  });

  it('does not start anew with a heartbeat while an answer is awaited', () => {
    const { acks, subscriptions } = known('r');
    subscriptions[0]!.cursor = cursorAt(2);
    acks.pinged(0);
    subscriptions[0]!.cursor = cursorAt(3);
    acks.pinged(15_000);
    expect(acks.judge(30_001)).toBe('close');
  });

  it('is no measure for a client that never answers', () => {
    const { acks, subscriptions } = client('r');
    for (let at = 0; at < 200_000; at += 15_000) {
      subscriptions[0]!.cursor = cursorAt(at);
      acks.pinged(at);
      expect(acks.judge(at + 14_000)).toBe('ok');
    }
    expect(subscriptions[0]!.steps).toEqual([]);
  });

  it('is counted per subscription where the client tells its positions: what it has read but not applied', () => {
    const { acks, subscriptions } = known('quick', 'stuck', 'unnamed');
    for (let second = 0; second < 12; second++) {
      for (const subscription of subscriptions) subscription.cursor = cursorAt(10 + second);
      acks.pinged(second * 1_000);
      acks.answered({ quick: cursorAt(10 + second), stuck: cursorAt(9) }, second * 1_000 + 5);
    }
    expect(subscriptions.map(({ steps }) => steps)).toEqual([[], ['fold', 'snapshot'], []]);
    acks.pinged(12_000);
    acks.answered({ stuck: cursorAt(20) }, 12_005);
    expect(subscriptions[1]!.steps.at(-1)).toBe('fold');
    acks.pinged(13_000);
    acks.answered({ stuck: cursorAt(21) }, 13_005);
    expect(subscriptions[1]!.steps.at(-1)).toBeUndefined();
  });

  it('is not made worse by positions that say nothing: another epoch, nonsense, a name from nowhere', () => {
    const { acks, subscriptions } = known('r');
    const odd: Record<string, string>[] = [
      { r: cursorAt(1, 'old') },
      { r: 'nonsense' },
      JSON.parse(`{"constructor":"${cursorAt(0)}"}`),
      {},
    ];
    for (const [at, positions] of odd.entries()) {
      subscriptions[0]!.cursor = cursorAt(100 + at);
      acks.pinged(at * 2_000);
      acks.answered(positions, at * 2_000 + 1_999);
    }
    acks.judge(100_000);
    expect(subscriptions[0]!.steps).toEqual([]);
  });

  it('is not shortened by answers to nothing', () => {
    const { acks, subscriptions } = known('r');
    acks.answered(undefined, 0);
    subscriptions[0]!.cursor = cursorAt(2);
    acks.pinged(0);
    expect(acks.judge(30_001)).toBe('close');
  });
});

it('the time from an event to its acknowledgement is told once a ping, of the newest that is acknowledged', () => {
  const { acks, subscriptions, acknowledged } = known('r', 's');
  subscriptions[0]!.cursor = cursorAt(5);
  subscriptions[0]!.emittedAt = 900;
  acks.pinged(1_000);
  acks.answered(undefined, 1_250);
  acks.pinged(2_000);
  acks.answered(undefined, 2_010);
  expect(acknowledged).toEqual([350]);
});
