import type { ToolstreamEvent } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { PlainLog } from '../../src/render/plain-log.ts';
import { styleFor } from '../../src/render/style.ts';
import { aRun, aTool, at } from './states.ts';

const event = (type: string, data: unknown, ms: number, toolindex?: number): ToolstreamEvent =>
  ({ type, data, time: at(ms), ...(toolindex === undefined ? {} : { toolindex }) }) as never;

describe('a run as appended lines', () => {
  it('has a line when a stage begins and at every measured quarter, and none between', () => {
    const log = new PlainLog();
    const lines = [0, 10, 24, 25, 60, 70, 100].map((progress, i) => {
      const report = { stage: 'writing', progress, at: at(i) };
      const state = aRun([aTool(0, { status: 'running', progress: report })]);
      return log.line(event('tool.progressed.v1', report, i, 0), state);
    });
    expect(lines.map((line) => line?.slice(10))).toEqual([
      '0 os-write src/file-0.ts writing 0%',
      undefined,
      undefined,
      '0 os-write src/file-0.ts writing 25%',
      '0 os-write src/file-0.ts writing 60%',
      undefined,
      '0 os-write src/file-0.ts writing 100%',
    ]);
  });

  it('tells how a call ended, and how the run did', () => {
    const log = new PlainLog();
    const tool = aTool(0, { status: 'succeeded', attempt: 1, metrics: { duration_ms: 5, lines_written: 2 } });
    const summary = {
      total: 1,
      successful: 1,
      failed: 0,
      cancelled: 0,
      skipped: 0,
      duration_ms: 1_200,
      files_created: 0,
      lines_written: 2,
    };
    const ended = aRun([tool], { status: 'succeeded', summary });
    expect(log.line(event('tool.succeeded.v1', {}, 1_100, 0), ended)).toBe(
      '   1.100  0 os-write src/file-0.ts succeeded: 2 lines, 5 ms',
    );
    expect(log.line(event('run.succeeded.v1', {}, 1_200), ended)).toBe(
      '   1.200  The run succeeded in 1.2 s: 1 of 1 tool call succeeded, 2 lines written.',
    );
  });

  it('gives the reason of whoever paused it, without what a terminal would obey', () => {
    const line = new PlainLog().line(event('run.paused.v1', { reason: 'lunch\u001b[2J' }, 10), aRun([]));
    expect(line).toBe('   0.010  run paused (lunch)');
  });
});

describe('the style', () => {
  const tty = { isTTY: true };
  it('has colour on a terminal, unless NO_COLOR or a dumb terminal says otherwise', () => {
    expect(styleFor(tty, { LANG: 'en_GB.UTF-8' })).toEqual({ colour: true, unicode: true });
    expect(styleFor(tty, { NO_COLOR: '1' }).colour).toBe(false);
    expect(styleFor(tty, { TERM: 'dumb' }).colour).toBe(false);
    expect(styleFor({}, {}).colour).toBe(false);
    expect(styleFor({}, { FORCE_COLOR: '1' }).colour).toBe(true);
    expect(styleFor(tty, { LC_ALL: 'C', LANG: 'en_GB.UTF-8' }).unicode).toBe(false);
  });
});
