import { describe, expect, it } from 'vitest';
import { parseStat } from '../src/cpu.ts';
import { compared, measured, skipped } from '../src/report.ts';
import { figure, tableOf } from '../src/table.ts';

describe('the table', () => {
  const rows = [
    compared({ benchmark: 'appends', name: 'fenced', unit: '/s' }, [9_000, 8_000, 8_500], [10_000, 10_000, 10_000], {
      sense: 'at_least',
      value: 0.5,
    }),
    measured({ benchmark: 'throughput', name: 'tool calls', unit: '/s' }, [1_200, 1_100, 1_300], {
      sense: 'at_least',
      value: 1_000,
    }),
    measured({ benchmark: 'latency', name: 'core relay p50', unit: 'ms' }, [0.3, 0.312345]),
    skipped({ benchmark: 'jobs', name: 'done / BullMQ', unit: '/s' }),
  ];

  it('has one line per row, with ratio, spread, target and verdict', () => {
    const [heading, rule, ...lines] = tableOf(rows).split('\n');
    expect(heading).toMatch(/^benchmark +what +unit +ours +floor +ratio +min–max +quartiles +target +verdict$/);
    expect(rule).toMatch(/^─+$/);
    expect(lines[0]).toMatch(/fenced +\/s +8,500 +10,000 +0\.85× +0\.80×–0\.90× +0\.82×–0\.88× +≥ 0\.50× +pass$/);
    expect(lines[1]).toMatch(/tool calls +\/s +1,200 +1,100–1,300 +1,150–1,250 +≥ 1,000 +pass$/);
    expect(lines[2]).toMatch(/core relay p50 +ms +0\.306 .*reported$/);
    expect(lines[3]).toMatch(/done \/ BullMQ +\/s +– +skipped$/);
  });

  it('writes figures with three significant digits, or whole from a thousand on', () => {
    expect([0.51234, 12.345, 999, 1_234.5, Number.NaN].map(figure)).toEqual(['0.512', '12.3', '999', '1,235', '–']);
  });
});

describe('process times', () => {
  it('are read past a name that holds spaces and parentheses', () => {
    const stat = '42 (a) b (c) S 7 42 42 0 -1 4194304 100 200 0 0 150 50 30 20 20 0 1 0 12345 0 0';
    expect(parseStat(stat)).toEqual({ pid: 42, parent: 7, own: 2, reaped: 0.5 });
  });
});
