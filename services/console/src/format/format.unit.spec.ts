import { describe, expect, it } from 'vitest';
import { between, bytes, count, counted, duration, percent, relativeTime, share } from './index.ts';

describe('durations', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_000, '1.0 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [59_499, '59 s'],
    [59_999, '1 min 00 s'],
    [65_000, '1 min 05 s'],
    [3_600_000, '1 h 00 min'],
    [86_400_000 + 4 * 3_600_000, '1 d 4 h'],
    [-1, '–'],
    [Number.NaN, '–'],
  ])('%d ms are %s', (ms, text) => expect(duration(ms)).toBe(text));

  it('run on until there is an end, and are never negative', () => {
    expect(between('2026-01-01T00:00:00Z', undefined, Date.parse('2026-01-01T00:00:07Z'))).toBe(7_000);
    expect(between('2026-01-01T00:00:00Z', '2026-01-01T00:00:02Z', 0)).toBe(2_000);
    expect(between('2026-01-01T00:00:00Z', undefined, 0)).toBe(0);
    expect(between(undefined, undefined, 0)).toBeUndefined();
  });
});

describe('numbers', () => {
  it('are counted with their word', () => {
    expect([count(12_345), counted(1, 'file'), counted(3, 'file'), counted(2, 'entry', 'entries')]).toEqual([
      '12,345',
      '1 file',
      '3 files',
      '2 entries',
    ]);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1 kB'],
    [999_949, '999.9 kB'],
    [999_950, '1 MB'],
    [1_234_567, '1.2 MB'],
    [-1, '–'],
  ])('%d bytes are %s', (n, text) => expect(bytes(n)).toBe(text));

  it('never round a share to all or nothing that is neither', () => {
    expect([share(1), share(0.9999), share(0.0001), share(0), share(0.985)]).toEqual([
      '100 %',
      '99.9 %',
      '0.1 %',
      '0 %',
      '98.5 %',
    ]);
    expect([percent(99.99), percent(100), percent(-3), percent(120)]).toEqual(['99 %', '100 %', '0 %', '100 %']);
  });
});

describe('times', () => {
  const now = Date.parse('2026-03-02T12:00:00Z');
  it.each([
    ['2026-03-02T11:59:57Z', 'just now'],
    ['2026-03-02T11:59:18Z', '42 s ago'],
    ['2026-03-02T11:55:00Z', '5 min ago'],
    ['2026-03-02T09:00:00Z', '3 h ago'],
    ['2026-03-02T12:01:00Z', 'in 1 min'],
  ])('%s is %s', (at, text) => expect(relativeTime(at, now)).toBe(text));

  it('are dates beyond a day', () => {
    expect(relativeTime('2026-02-27T09:00:00Z', now)).toMatch(/27 Feb, \d\d:\d\d/);
    expect(relativeTime('nonsense', now)).toBe('–');
  });
});
