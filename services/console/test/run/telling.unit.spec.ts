import { describe, expect, it } from 'vitest';
import { announcement } from '../../src/views/run/model/announcements.ts';
import { awayNotice } from '../../src/views/run/model/away.ts';
import { celebrates } from '../../src/views/run/model/celebration.ts';
import { runOffers, toolOffers, type Viewer, whoMayAnswer } from '../../src/views/run/model/controls.ts';
import { helpFor } from '../../src/views/run/model/help.ts';
import { runStanding, standingOf } from '../../src/views/run/model/standing.ts';
import { refusalTitle, wishFor, wishWords } from '../../src/views/run/model/wishes.ts';
import { at, call, ended, run, T0 } from './given.ts';

const viewer: Viewer = { actor: 'ann', admin: false, control: true, write: true };

describe('What a call is doing', () => {
  const says = (over: Parameters<typeof call>[1], runOver: Parameters<typeof run>[1] = {}): string => {
    const state = run([call(0, over)], runOver);
    return standingOf(state, state.tools[0]!, T0 + 10_000);
  };
  it('is its turn that it waits for, the queue, a pause, a retry', () => {
    const state = run([call(0, { status: 'running' }), call(1)]);
    expect(standingOf(state, state.tools[1]!, T0)).toBe('Waits for #1');
    expect(says({ status: 'queued', queued_at: at(7_000) })).toContain('In the queue for 3.0 s');
    expect(says({}, { status: 'paused', paused_at: at(0) })).toBe('Held: the run is paused');
    expect(says({ status: 'retrying', attempt: 1, retry_at: at(14_000) })).toBe('Attempt 1 failed; attempt 2 in 4.0 s');
  });
  it('is what it reports, and what a pause does to it', () => {
    const progress = { stage: 'writing', message: 'Writing a.txt', at: at(0) };
    expect(says({ status: 'running', progress })).toBe('Writing a.txt');
    const paused = { status: 'paused', paused_at: at(0) } as const;
    expect(says({ status: 'running', progress }, paused)).toBe('Paused. Last: Writing a.txt');
    expect(says({ status: 'running', progress, pause: 'finish' }, paused)).toBe(
      'Writing a.txt (goes on through the pause)',
    );
  });
  it('is that it is being cancelled, by whom and since when', () => {
    expect(says({ status: 'running', cancel: { requested_at: at(9_600), actor: 'ann' } })).toBe(
      'Cancelling, asked by ann 400 ms ago',
    );
    expect(says({ status: 'running', cancel: { requested_at: at(9_600), acknowledged_at: at(9_700) } })).toContain(
      'Stopping',
    );
  });
  it('is how it ended, with the reason that somebody gave', () => {
    expect(says({ status: 'failed', ended_at: at(1), error: { code: 'x', message: 'No.' } })).toBe('No.');
    expect(says({ status: 'skipped', ended_at: at(1), skip_cause: 2 })).toBe(
      'Skipped: it depends on #3, which did not succeed',
    );
    const approval = {
      reason: 'policy',
      requested_at: at(0),
      decision: 'denied',
      actor: 'bob',
      comment: 'too risky',
    } as const;
    expect(says({ status: 'denied', ended_at: at(1), approval })).toBe('Denied by bob: too risky');
    expect(says({ status: 'denied', ended_at: at(1), approval: { ...approval, expired: true } })).toBe(
      'Denied: nobody answered in time',
    );
    expect(
      says(
        { status: 'cancelled', ended_at: at(1) },
        { cancel: { cause: 'command', requested_at: at(0), actor: 'ann', reason: 'enough' } },
      ),
    ).toBe('Cancelled with the run by ann: enough');
  });
});

describe('What is offered', () => {
  it('is what the service would take', () => {
    const state = run([ended(0), call(1, { status: 'failed', ended_at: at(1) }), call(2, { status: 'running' })]);
    const offers = state.tools.map((tool) => toolOffers(state, tool, viewer));
    expect(offers.map(({ cancel, retry }) => [cancel.offered, retry.offered])).toEqual([
      [false, false],
      [false, true],
      [true, false],
    ]);
    expect(runOffers(state, viewer)).toMatchObject({ pause: { offered: true }, resume: { offered: false } });
  });
  it('is nothing but another run once the run has ended or is being cancelled', () => {
    for (const status of ['failed', 'cancelling'] as const) {
      const state = run([call(0, { status: 'failed', ended_at: at(1) })], { status });
      expect(toolOffers(state, state.tools[0]!, viewer).retry.offered).toBe(false);
      expect(runOffers(state, viewer)).toMatchObject({
        pause: { offered: false },
        cancel: { offered: false },
        rerun: { offered: true },
      });
    }
  });
  it('says why where a token or a tool does not allow it', () => {
    const state = run([call(0, { status: 'awaiting_approval', approvers: ['bob'] })]);
    const tool = state.tools[0]!;
    expect(toolOffers(state, tool, viewer).answer.why).toContain('not among those');
    expect(toolOffers(state, tool, { ...viewer, actor: 'bob' }).answer.offered).toBe(true);
    expect(toolOffers(state, tool, { ...viewer, admin: true }).answer.offered).toBe(true);
    expect(runOffers(state, { ...viewer, control: false }).pause.why).toContain('runs:control');
    expect(whoMayAnswer(tool)).toBe('bob, or an admin, can answer.');
  });
});

describe('A wish', () => {
  const wish = { command: 'cancel', asked_at: T0 } as const;
  it('is shown at once, with how long ago it was', () => {
    expect(wishWords(wish, T0 + 430)).toBe('Cancelling… asked by you 0.4 s ago');
    expect(wishFor([wish, { command: 'cancel_tool', index: 2, asked_at: T0 }], 2)?.command).toBe('cancel_tool');
    expect(wishFor([wish], 2)).toBeUndefined();
  });
  it('that is refused is named', () => {
    expect(refusalTitle({ command: 'pause' })).toBe('The run was not paused');
    expect(refusalTitle({ command: 'retry_tool', index: 2 })).toBe('Call #3 is not tried again');
  });
});

describe('Help', () => {
  it('knows every code of Toolstream, and that other codes are the tool’s own', () => {
    expect(helpFor({ code: 'timeout', message: '' })).toMatchObject({ meaning: expect.any(String), retry: true });
    expect(helpFor({ code: 'not_yet', message: '' }).meaning).toBeUndefined();
  });
});

describe('The celebration', () => {
  const memory = () => {
    const kept = new Map<string, string>();
    return {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
  };
  const live = run([call(0)]);
  const done = run([ended(0)], { status: 'succeeded', ended_at: at(1) });
  it('is for who saw it succeed, once', () => {
    const kept = memory();
    expect(celebrates(live, done, kept)).toBe(true);
    expect(celebrates(live, done, kept)).toBe(false);
  });
  it('is not for who came later, nor for a run that failed, nor where nothing can be remembered', () => {
    expect(celebrates(undefined, done, memory())).toBe(false);
    expect(celebrates(done, done, memory())).toBe(false);
    expect(celebrates(live, { ...done, status: 'failed' }, memory())).toBe(false);
    const forbidden = () => {
      throw new Error('no storage');
    };
    expect(celebrates(live, done, { getItem: forbidden, setItem: forbidden })).toBe(false);
  });
});

describe('What happened while away', () => {
  const before = run([call(0, { status: 'running', attempt: 1 }), call(1), call(2, { status: 'running', attempt: 1 })]);
  const now = run([ended(0), call(1, { status: 'running', attempt: 1 }), call(2, { status: 'running', attempt: 2 })], {
    status: 'paused',
    paused_at: at(1),
  });
  it('is said in words, and a beginning is nothing that happened', () => {
    expect(awayNotice('cold', before, now)).toBeUndefined();
    expect(awayNotice('gap', before, now)?.changes).toEqual([
      '1 call succeeded',
      '1 call started',
      '1 call began another attempt',
      'the run is now paused',
    ]);
    expect(awayNotice('slow', undefined, now)?.title).toContain('could not keep up');
    expect(awayNotice('epoch', before, now)?.title).toContain('another copy');
  });
});

describe('What is said aloud', () => {
  const before = run([call(0, { status: 'running' }), call(1), call(2)]);
  it('is nothing of a first state, nor of progress', () => {
    expect(announcement(undefined, before)).toEqual({ alert: '', status: '' });
    const reported = run([call(0, { status: 'running', measured: 50 }), before.tools[1]!, before.tools[2]!]);
    expect(announcement(before, reported)).toEqual({ alert: '', status: '' });
  });
  it('is failures and questions at once, and ends by their number', () => {
    const error = { code: 'x', message: 'No.' };
    const now = run([
      call(0, { status: 'failed', ended_at: at(1), error }),
      call(1, { status: 'awaiting_approval' }),
      ended(2),
    ]);
    expect(announcement(before, now)).toEqual({
      alert: '#1 os-write failed: No. #2 os-write waits for an answer.',
      status: '2 of 3 calls ended.',
    });
  });
  it('is the number alone where many fail at once', () => {
    const all = Array.from({ length: 9 }, (_, n) => call(n, { status: 'running' }));
    const now = run(all.map((tool) => ({ ...tool, status: 'failed' as const, ended_at: at(1) })));
    expect(announcement(run(all), now).alert).toBe('9 calls failed.');
  });
  it('is that another attempt began', () => {
    const tried = run([call(0, { status: 'retrying', attempt: 1 })]);
    expect(announcement(tried, run([call(0, { status: 'running', attempt: 2 })])).status).toBe(
      '#1 os-write: attempt 2. What attempt 1 wrote no longer counts.',
    );
  });
  it('is the end of the run', () => {
    const now = run([ended(0), ended(1), ended(2)], { status: 'succeeded', ended_at: at(1) });
    expect(announcement(before, now)).toEqual({ alert: '', status: 'The run ended. Every call succeeded.' });
    expect(runStanding({ ...now, status: 'failed', error: { code: 'x', message: 'One failed.' } })).toBe('One failed.');
  });
});
