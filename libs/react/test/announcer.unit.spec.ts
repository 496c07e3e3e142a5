import { describe, expect, it } from 'vitest';
import { Announcer } from '../src/announcer.ts';
import { progressOf, type RunState } from '../src/index.ts';
import { after, aRun, running, succeeded } from './a-run.ts';

const say = (announcer: Announcer, run: RunState, second: number) =>
  announcer.next(run, progressOf(run, after(second)), after(second));

describe('what is read aloud', () => {
  it('is milestones, the newest only, at most every five seconds', () => {
    const announcer = new Announcer();
    const none = aRun([running(0), {}, {}]);
    const one = aRun([succeeded(0, 1), running(1), {}]);
    const two = aRun([succeeded(0, 1), succeeded(1, 2), running(2)]);
    const first = say(announcer, none, 0).status;
    expect(first).toMatch(/^Running: 0 of 3 calls done/);
    expect(say(announcer, one, 1).status).toBe(first);
    expect(say(announcer, two, 3).status).toBe(first);
    expect(say(announcer, two, 5).status).toMatch(/^Running: 2 of 3 calls done/);
  });

  it('is no progress between milestones', () => {
    const announcer = new Announcer();
    const first = say(announcer, aRun([running(0, { measured: 1 })]), 0).status;
    expect(say(announcer, aRun([running(0, { measured: 90 })]), 9).status).toBe(first);
  });

  it('is a failure at once, and not again', () => {
    const announcer = new Announcer();
    expect(say(announcer, aRun([running(0), {}]), 0).alert).toBe('');
    const failed = aRun([{ status: 'failed', attempt: 1, error: { code: 'x', message: 'Disk full.' } }, {}]);
    expect(say(announcer, failed, 1).alert).toBe('Call 1, os-write, failed. Disk full.');
    const again = aRun([...failed.tools, {}]);
    expect(say(announcer, again, 2).alert).toBe('Call 1, os-write, failed. Disk full.');
  });

  it('is no failure from before, but an approval that is still waited for', () => {
    const announcer = new Announcer();
    const approval = { reason: 'policy', requested_at: '2026-01-01T00:00:00.000Z' } as const;
    const run = aRun([
      { status: 'failed', attempt: 1 },
      { status: 'awaiting_approval', approval },
    ]);
    expect(say(announcer, run, 0).alert).toBe('Call 2, os-write, asks for approval.');
  });
});
