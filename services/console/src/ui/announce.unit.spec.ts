import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Announcer, POLITE_MS, TOGETHER_MS } from './announce.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('Says the first thing at once, then at most one every five seconds, the newest of each subject', () => {
  const announcer = new Announcer();
  const said: string[] = [];
  announcer.subscribe(() => said.push(announcer.spoken.polite));
  announcer.say('1 of 9', 'run');
  announcer.say('2 of 9', 'run');
  announcer.say('connected', 'connection');
  announcer.say('3 of 9', 'run');
  expect(said).toEqual(['1 of 9']);
  vi.advanceTimersByTime(POLITE_MS);
  expect(said).toEqual(['1 of 9', 'connected 3 of 9']);
  vi.advanceTimersByTime(10 * POLITE_MS);
  expect(said).toHaveLength(2);
});

it('Says alerts at once, and the same one again', () => {
  const announcer = new Announcer();
  announcer.alert('os-delete needs approval');
  const first = announcer.spoken.alert;
  announcer.alert('os-delete needs approval');
  expect(first).toBe('os-delete needs approval');
  expect(announcer.spoken.alert.trim()).toBe(first);
  expect(announcer.spoken.alert).not.toBe(first);
});

it('Says alerts together that come close together, and no more than a few', () => {
  const announcer = new Announcer();
  for (const n of [1, 2, 3, 4, 5]) announcer.alert(`${n} failed.`);
  expect(announcer.spoken.alert).toBe('2 failed. 3 failed. 4 failed. 5 failed.');
  vi.advanceTimersByTime(TOGETHER_MS);
  announcer.alert('The run ended.');
  expect(announcer.spoken.alert).toBe('The run ended.');
});
