import { stripVTControlCharacters } from 'node:util';
import { type ToolState, toolStatus } from '@toolstream/proto-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderRun, type View } from '../../src/render/run-view.ts';
import { widthOf } from '../../src/render/text.ts';
import { aRun, aTool, at, nowAt } from './states.ts';

const view: View = { width: 110, height: 30, now: nowAt(3_200), style: { colour: false, unicode: true } };
const summary = {
  total: 2,
  successful: 1,
  failed: 1,
  cancelled: 0,
  skipped: 0,
  duration_ms: 2_340,
  files_created: 1,
  lines_written: 1,
};

describe('a run on a terminal', () => {
  it('has a line for each call: sign, place, name, subject, status and what was measured', () => {
    const state = aRun([
      aTool(0, {
        status: 'succeeded',
        attempt: 1,
        metrics: { duration_ms: 310, lines_written: 42, bytes_written: 1_234 },
      }),
      aTool(1, {
        status: 'running',
        attempt: 1,
        started_at: at(1_000),
        progress: {
          stage: 'writing',
          progress: 52,
          details: { bytes_written: 5_200, total_bytes: 10_000 },
          at: at(3_000),
        },
      }),
      aTool(2, { status: 'queued', queued_at: at(3_000), name: 'os-line-replace' }),
      aTool(3, { depends_on: [1, 2] }),
    ]);
    expect(renderRun(state, view)).toEqual([
      '▶ running  1 of 4 calls ended  3.2 s  run 0-01JQZX5M9G7V3T8R2KQWERTYAB',
      '✓ 0 os-write        src/file-0.ts succeeded         42 lines  1.2 kB  310 ms',
      '▶ 1 os-write        src/file-1.ts writing           │████████▍       │  52%  5.2 kB of 10 kB  2.2 s',
      "… 2 os-line-replace src/file-2.ts queued            1st in the run's queue  200 ms",
      '· 3 os-write        src/file-3.ts pending           waits for 1, 2',
    ]);
  });

  it('draws no bar where nothing measured a total, but says the stage and what was counted', () => {
    const progress = { stage: 'downloading', details: { bytes: 48_000 }, at: at(3_000) };
    const output = [{ channel: 'stdout', text: 'x'.repeat(2_000) }];
    const tool = aTool(0, { status: 'running', attempt: 2, started_at: at(0), progress, output });
    const [, line] = renderRun(aRun([tool]), view);
    expect(line).toBe('▶ 0 os-write src/file-0.ts downloading       48 kB  2.0 kB of output  attempt 2  3.2 s');
  });

  it('says why a call failed, waits or was left out', () => {
    const failed = { code: 'tool_error', message: 'disk\nis   full' };
    const state = aRun([
      aTool(0, { status: 'failed', attempt: 3, error: failed, started_at: at(0), ended_at: at(500) }),
      aTool(1, { status: 'skipped', skip_reason: 'call 0 failed' }),
      aTool(2, { status: 'awaiting_approval', approval: { reason: 'lost_attempt', requested_at: at(1) } }),
      aTool(3, { status: 'retrying', attempt: 1, error: failed, retry_at: at(5_200) }),
    ]);
    const lines = renderRun(state, view);
    expect(lines[1]).toContain('✗ 0 os-write src/file-0.ts failed            tool_error: disk is full  3 attempts');
    expect(lines[2]).toContain('↷ 1 os-write src/file-1.ts skipped           call 0 failed');
    expect(lines[3]).toContain('? 2 os-write src/file-2.ts awaiting approval its attempt was lost: run it again?');
    expect(lines[4]).toContain(
      '↻ 3 os-write src/file-3.ts retrying          attempt 1 failed: disk is full  again in 2.0 s',
    );
  });

  it('ends with one sentence', () => {
    const state = aRun([aTool(0, { status: 'succeeded' }), aTool(1, { status: 'failed' })], {
      status: 'failed',
      ended_at: at(2_340),
      summary,
    });
    expect(renderRun(state, view).at(-1)).toBe(
      'The run failed in 2.3 s: 1 of 2 tool calls succeeded, 1 failed, 1 file created, 1 line written.',
    );
  });

  it('that has more calls than lines shows those that matter now, in their order, and counts the rest', () => {
    const tools = Array.from({ length: 60 }, (_, index) => {
      if (index < 30) return aTool(index, { status: index === 7 ? 'failed' : 'succeeded', ended_at: at(index) });
      return aTool(index, { status: index < 33 ? 'running' : 'pending' });
    });
    const lines = renderRun(aRun(tools), { ...view, height: 8 });
    expect(lines).toHaveLength(8);
    expect(lines.slice(1, 7).map((line) => Number(line.slice(2, 4)))).toEqual([7, 30, 31, 32, 33, 34]);
    expect(lines[7]).toBe('  and 54 more: 29 succeeded, 25 pending');
  });

  it('says with signs and words what it says with colours', () => {
    const tools = toolStatus.options.map((status, index) => aTool(index, { status }));
    const coloured = renderRun(aRun(tools), { ...view, style: { colour: true, unicode: true } });
    const monochrome = renderRun(aRun(tools), view);
    expect(coloured.map((line) => stripVTControlCharacters(line))).toEqual(monochrome);
    for (const [i, status] of toolStatus.options.entries()) {
      expect(monochrome[i + 1]).toContain(status.replaceAll('_', ' '));
    }
  });

  it('keeps to ASCII where the locale has no more', () => {
    const tool = aTool(0, { status: 'running', progress: { stage: 'writing', progress: 50, at: at(0) } });
    const [, line] = renderRun(aRun([tool]), { ...view, style: { colour: false, unicode: false } });
    expect(line).toMatch(/^[ -~]*$/);
    expect(line).toContain('[########--------]  50%');
  });

  it('lets no escape sequence of a tool through', () => {
    const evil = '\u001b[2J\u001b]0;title\u0007\u202egnp.exe\r\n\u0000';
    const tool = aTool(0, {
      status: 'running',
      name: evil,
      arguments: { command: `rm ${evil}` },
      progress: { stage: evil, message: evil, at: at(0) },
    });
    for (const line of renderRun(aRun([tool]), view)) expect(line).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it('never is wider or higher than the terminal, whatever the run', () => {
    const anyTool = fc.record({
      status: fc.constantFrom(...toolStatus.options),
      name: fc.string({ maxLength: 40, unit: 'grapheme' }),
      text: fc.string({ maxLength: 80, unit: 'grapheme' }),
      progress: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.array(anyTool, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 4, max: 200 }),
        fc.integer({ min: 2, max: 40 }),
        fc.boolean(),
        (specs, width, height, colour) => {
          const tools = specs.map(({ status, name, text, progress }, index): ToolState => {
            const measured = progress === undefined ? {} : { progress };
            return aTool(index, {
              status,
              name,
              arguments: { file_path: text },
              started_at: at(0),
              progress: { stage: text, message: text, at: at(0), ...measured },
              error: { code: 'tool_error', message: text },
            });
          });
          const lines = renderRun(aRun(tools), { ...view, width, height, style: { colour, unicode: true } });
          expect(lines.length).toBeLessThanOrEqual(height);
          for (const line of lines) expect(widthOf(stripVTControlCharacters(line))).toBeLessThanOrEqual(width);
        },
      ),
      { numRuns: 150, seed: 20260101 },
    );
  });
});
