import { expect, it } from 'vitest';
import { about, duration, progressText, toolText } from '../src/index.ts';
import { aTool } from './a-run.ts';

it('says durations as people read them', () => {
  const said = [0, 400, 9_940, 12_400, 59_600, 60_000, 200_000, 3_600_000, 3_900_000].map(duration);
  const expected = ['0.0 s', '0.4 s', '9.9 s', '12 s', '1 min', '1 min', '3 min 20 s', '1 h', '1 h 5 min'];
  expect(said).toEqual(expected);
});

it('says estimates no more precisely than they are', () => {
  const said = [300, 4_400, 12_400, 61_000, 200_000].map(about);
  expect(said).toEqual([
    'about a second left',
    'about 4 s left',
    'about 10 s left',
    'about 1 min left',
    'about 3 min left',
  ]);
});

it('says how far a run is, and why nobody knows how long it takes', () => {
  const counts = { total: 5, done: 2, failed: 1, running: 1, awaiting_approval: 0 };
  expect(progressText({ ...counts, remaining_ms: 12_000 })).toBe('2 of 5 calls done, 1 failed, about 10 s left');
  expect(progressText({ ...counts, failed: 0, no_forecast: 'overdue' })).toBe(
    '2 of 5 calls done, taking longer than expected',
  );
  expect(progressText({ ...counts, total: 1, done: 1, failed: 0 })).toBe('1 of 1 call done');
});

it('says of a call what it does, why it failed, and what it asks', () => {
  const progress = { stage: 'writing', at: '2026-01-01T00:00:00.000Z' };
  expect(toolText(aTool(0, { status: 'running', progress }))).toBe('writing');
  expect(toolText(aTool(0, { status: 'running', progress: { ...progress, message: 'Half' } }))).toBe('Half');
  expect(toolText(aTool(0, { status: 'failed', error: { code: 'x', message: 'Broken.' } }))).toBe('Broken.');
  const approval = { reason: 'input', requested_at: progress.at, request: { message: 'Which?' } } as const;
  expect(toolText(aTool(0, { status: 'awaiting_approval', approval }))).toBe('Which?');
});
