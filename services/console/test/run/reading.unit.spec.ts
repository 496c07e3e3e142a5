import { describe, expect, it } from 'vitest';
import { figuresOf, progressFigures } from '../../src/views/run/model/figures.ts';
import { callNumbers, comeNext, comesAfter, waitsFor } from '../../src/views/run/model/order.ts';
import { isCut, outputLines } from '../../src/views/run/model/output-lines.ts';
import { isReference, namedFiles } from '../../src/views/run/model/references.ts';
import { subjectOf } from '../../src/views/run/model/subject.ts';
import { summaryFigures } from '../../src/views/run/model/summary.ts';
import { againstEstimate } from '../../src/views/run/model/timing.ts';
import { at, call, ended, run } from './given.ts';

describe('Figures', () => {
  it('show a number with the total that counts the same thing', () => {
    expect(progressFigures({ bytes_written: 12_345, total_bytes: 40_000, files_searched: 2, total_files: 9 })).toEqual([
      { key: 'bytes_written', label: 'Bytes written', text: '12.3 kB of 40 kB' },
      { key: 'files_searched', label: 'Files searched', text: '2 of 9' },
    ]);
    expect(progressFigures({ uploaded_bytes: 500, total_bytes: 1_000, bytesy: 1 })).toEqual([
      { key: 'uploaded_bytes', label: 'Uploaded bytes', text: '500 B of 1 kB' },
      { key: 'bytesy', label: 'Bytesy', text: '1' },
    ]);
  });
  it('show a total that nothing counts up to on its own', () => {
    expect(progressFigures({ total_chars: 1200 })).toEqual([
      { key: 'total_chars', label: 'Total chars', text: '1,200' },
    ]);
  });
  it('name API calls and leave out what has no plain form', () => {
    expect(progressFigures({ api_calls_made: 3, nested: { a: 1 }, empty: '' })).toEqual([
      { key: 'api_calls_made', label: 'API calls made', text: '3' },
    ]);
  });
  it('are of the attempt’s own measures once it has ended', () => {
    const tool = ended(0, {
      progress: { stage: 'x', details: { bytes_written: 1 }, at: at(1) },
      metrics: { bytes_written: 2048, lines_written: 3, api_calls: 0 },
    });
    expect(figuresOf(tool).map(({ key, text }) => [key, text])).toEqual([
      ['bytes_written', '2 kB'],
      ['lines_written', '3'],
    ]);
  });
});

describe('The order', () => {
  const graph = run([call(0), ended(1), call(2, { depends_on: [1, 0] })], { ordering: 'graph' });
  it('of a graph is what each call names', () => {
    expect(comesAfter(graph, graph.tools[2]!)).toEqual([0, 1]);
    expect(waitsFor(graph, graph.tools[2]!)).toEqual([0]);
    expect(comeNext(graph, 0)).toEqual([2]);
  });
  it('of a sequence is the call before, of a parallel run nothing', () => {
    expect(comesAfter({ ordering: 'sequential' }, call(3))).toEqual([2]);
    expect(comesAfter({ ordering: 'parallel' }, call(3, { depends_on: [1] }))).toEqual([]);
  });
  it('is said with numbers from one, and not with two hundred of them', () => {
    expect(callNumbers([0])).toBe('#1');
    expect(callNumbers([0, 1, 4])).toBe('#1, #2, and #5');
    expect(callNumbers([0, 1, 2, 3, 4])).toBe('#1, #2 and 3 more');
  });
});

describe('Output', () => {
  it('is told apart by channel, line by line', () => {
    expect(
      outputLines([
        { channel: 'stdout', text: 'one\ntwo\n' },
        { channel: 'stderr', text: 'oh\n' },
        { channel: 'stdout', text: 'half' },
      ]),
    ).toEqual([
      { channel: 'stdout', text: 'one' },
      { channel: 'stdout', text: 'two' },
      { channel: 'stderr', text: 'oh' },
      { channel: 'stdout', text: 'half' },
    ]);
  });
  it('keeps the last drawing of a redrawn line and drops what terminals alone understand', () => {
    const text = '10 %\r50 %\r\u001b[32m100 %\u001b[0m\r\nnext\u0007\n\n';
    expect(outputLines([{ channel: 'stdout', text }]).map((line) => line.text)).toEqual(['100 %', 'next', '']);
  });
  it('is cut once a state holds as much as it may', () => {
    expect(isCut([{ channel: 'stdout', text: 'x' }])).toBe(false);
    expect(isCut([{ channel: 'stdout', text: 'x'.repeat(16 * 1024) }])).toBe(true);
  });
});

describe('Arguments and results', () => {
  it('are known by the argument that tells most', () => {
    expect(subjectOf({ content: 'x', file_path: 'src/a.ts' })).toBe('src/a.ts');
    expect(subjectOf({ text: 'only one\nof two lines' })).toBe('only one');
    expect(subjectOf({ a: 'x', b: 'y' })).toBeUndefined();
    expect(subjectOf({ $ref: { artifact: 'a', bytes: 1, sha256: '0' } })).toBeUndefined();
  });
  it('may be references, which have nothing beside them', () => {
    const $ref = { artifact: 't1.r.value.x', bytes: 10, sha256: '0'.repeat(64) };
    expect(isReference({ $ref })).toBe(true);
    expect(isReference({ $ref, more: 1 })).toBe(false);
    expect(isReference([{ $ref }])).toBe(false);
  });
  it('name files, pictures among them, each once', () => {
    expect(namedFiles({ file_path: 'a.png', files: [{ path: 'b.txt' }, { path: 'a.png' }] })).toEqual([
      { path: 'a.png', picture: true },
      { path: 'b.txt', picture: false },
    ]);
    expect(namedFiles(undefined)).toEqual([]);
  });
});

describe('Durations', () => {
  it('stand against the estimate, and say when it is clearly passed', () => {
    expect(againstEstimate(500, 1_000)).toEqual({ text: '500 ms, usually 1.0 s', over: false });
    expect(againstEstimate(1_400, 1_000).over).toBe(false);
    expect(againstEstimate(4_000, 1_000).over).toBe(true);
  });
});

describe('The summary', () => {
  it('counts calls, time, files and lines, and leaves out ends that no call took', () => {
    const summary = {
      total: 3,
      successful: 2,
      failed: 1,
      cancelled: 0,
      skipped: 0,
      duration_ms: 4_200,
      files_created: 1,
      lines_written: 12,
    };
    expect(summaryFigures({ summary }).map(({ value, label }) => `${value} ${label}`)).toEqual([
      '2 of 3 calls succeeded',
      '1 failed',
      '4.2 s from start to end',
      '1 file created',
      '12 lines written',
    ]);
  });
});
