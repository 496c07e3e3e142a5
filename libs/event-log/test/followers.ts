import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { EventLog, Follower, FollowOptions, GapReason } from '@toolstream/event-log';
import type { RunAddress } from '@toolstream/proto-events';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type RunningLog, startLog } from './helpers.ts';

export interface Seen {
  follower: Follower;
  seqs: number[];
  gaps: GapReason[];
  caughtUp: number[];
  errors: unknown[];
}

class Followers {
  main!: RunningLog;
  jsm!: JetStreamManager;
  /** Stopped after each test. */
  readonly followers: Follower[] = [];

  async start(): Promise<void> {
    this.main = await startLog(2);
    this.jsm = await jetstreamManager(this.main.nc);
  }

  watch(log: EventLog, run: FollowOptions['run'], options: Partial<FollowOptions> = {}): Seen {
    const seen: Omit<Seen, 'follower'> = { seqs: [], gaps: [], caughtUp: [], errors: [] };
    const follower = log.follow({
      run,
      from: 0,
      onEvents: (events) => {
        for (const { seq } of events) seen.seqs.push(seq);
      },
      onGapUnhealable: (reason) => seen.gaps.push(reason),
      onCaughtUp: ({ seq }) => seen.caughtUp.push(seq),
      onError: (error) => seen.errors.push(error),
      checkMs: 100,
      ...options,
    });
    this.followers.push(follower);
    return Object.assign(seen, { follower });
  }

  async stored(run: RunAddress): Promise<number[]> {
    return (await this.main.log.readRun(run)).map(({ seq }) => seq);
  }

  async untilSeen(seen: Seen, run: RunAddress): Promise<void> {
    const expected = await this.stored(run);
    await expect.poll(() => seen.seqs.length, { timeout: 5_000, interval: 10 }).toBeGreaterThanOrEqual(expected.length);
    expect(seen.seqs).toEqual(expected);
  }
}

/** A log of two partitions for all tests of a file, and followers of it. */
export function useFollowers(): Followers {
  const world = new Followers();
  beforeAll(() => world.start());
  afterEach(() => {
    for (const follower of world.followers.splice(0)) follower.stop();
  });
  afterAll(() => world.main.stop());
  return world;
}
