import type { FileChange, FileListing } from '@toolstream/client';
import type { RunState } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { filesOf, tally } from './changes.ts';
import { compare } from './diff.ts';
import { highlight } from './highlight.ts';
import { kindOf, languageOf } from './kind.ts';
import { plain } from './lines.ts';
import { endsOf, liveCalls, liveRuns } from './live-calls.ts';
import { foldersOf, matching, type TreeNode, treeOf } from './tree.ts';

const file = (path: string, size = 1): FileListing => ({
  path,
  size,
  sha256: path,
  run: 'r',
  index: 0,
  attempt: 1,
  modified_at: `2026-01-01T00:00:0${size % 10}.000Z`,
});
const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...new TextEncoder().encode(part)] : part)));

describe('the tree of files', () => {
  it('has folders before files, each by name, with what is below them summed up', () => {
    const shape = (nodes: readonly TreeNode[]): unknown[] =>
      nodes.map((node) =>
        node.kind === 'file' ? node.name : [node.name, node.files, node.size, shape(node.children)],
      );
    const tree = treeOf([file('b.ts'), file('a10.ts'), file('a9.ts'), file('src/x.ts', 2), file('src/deep/y.ts', 3)]);
    expect(shape(tree)).toEqual([['src', 2, 5, [['deep', 1, 3, ['y.ts']], 'x.ts']], 'a9.ts', 'a10.ts', 'b.ts']);
    expect(tree[0]).toMatchObject({ path: 'src', modified_at: '2026-01-01T00:00:03.000Z' });
  });

  it('knows the folders of a path, and what matches words', () => {
    expect(foldersOf('a/b/c.ts')).toEqual(['a', 'a/b']);
    expect(foldersOf('c.ts')).toEqual([]);
    const files = [file('src/App.tsx'), file('docs/app.md')];
    expect(matching(files, ' app  SRC ').map(({ path }) => path)).toEqual(['src/App.tsx']);
    expect(matching(files, ' ')).toEqual(files);
  });
});

describe('the kind of a content', () => {
  it('is told by its bytes', () => {
    expect(kindOf(bytes('héllo\n'))).toEqual({ kind: 'text', text: 'héllo\n' });
    expect(kindOf(bytes())).toEqual({ kind: 'text', text: '' });
    expect(kindOf(bytes([0x89, 0x50, 0x4e, 0x47, 1]))).toEqual({ kind: 'image', type: 'image/png' });
    expect(kindOf(bytes('RIFF', [1, 2, 3, 4], 'WEBPVP8 '))).toEqual({ kind: 'image', type: 'image/webp' });
    expect(kindOf(bytes('%PDF-1.7'))).toEqual({ kind: 'binary', name: 'PDF document' });
    expect(kindOf(bytes('a', [0], 'b'))).toEqual({ kind: 'binary', name: 'Binary file' });
    expect(kindOf(bytes([0xc3, 0x28]))).toEqual({ kind: 'binary', name: 'Binary file' });
    expect(kindOf(bytes('<svg onload="x"/>'))).toMatchObject({ kind: 'text' });
  });

  it('has a language by the name of the file', () => {
    expect(['src/App.tsx', 'Gemfile', 'a/b.YML', 'none', 'x.bin'].map(languageOf)).toEqual([
      'typescript',
      'ruby',
      'yaml',
      undefined,
      undefined,
    ]);
  });
});

describe('highlighting', () => {
  const text = 'const a = `x\ny`; // end\n\nfunction f() {}\n';
  it('loses no character, across lines', () => {
    for (const lines of [highlight(text, 'typescript'), plain(text), highlight(text, 'no such')]) {
      expect(lines.map((line) => line.map((piece) => piece.text).join('')).join('\n')).toBe(text.slice(0, -1));
    }
    expect(highlight('', 'json')).toEqual([]);
  });

  it('names the pieces, a string that goes over two lines in both', () => {
    const [first, second] = highlight(text, 'typescript');
    expect(first?.[0]).toEqual({ text: 'const', className: 'keyword' });
    expect(first?.at(-1)).toEqual({ text: '`x', className: 'string' });
    expect(second?.[0]).toEqual({ text: 'y`', className: 'string' });
  });
});

describe('what a run changed', () => {
  const content = (sha256: string) => ({ version: `v-${sha256}`, size: 1, sha256 });
  const change = (
    index: number,
    what: FileChange['change'],
    path: string,
    more: Partial<FileChange> = {},
  ): FileChange => ({
    path,
    change: what,
    run: 'r',
    index,
    attempt: 1,
    modified_at: '2026-01-01T00:00:00.000Z',
    held_at: path,
    ...more,
  });

  it('is one entry for each path, from before its first step to after its last', () => {
    const [file, ...rest] = filesOf([
      change(1, 'changed', 'a', { before: content('0'), after: content('1') }),
      change(2, 'changed', 'a', { before: content('1'), after: content('2') }),
    ]);
    expect(rest).toEqual([]);
    expect(file).toMatchObject({
      path: 'a',
      change: 'changed',
      before: content('0'),
      after: content('2'),
      shared: false,
    });
    expect(file?.steps.map(({ index }) => index)).toEqual([1, 2]);
  });

  it('says when somebody else changed the file in between', () => {
    const [file] = filesOf([
      change(1, 'changed', 'a', { before: content('0'), after: content('1') }),
      change(2, 'changed', 'a', { before: content('x'), after: content('2') }),
    ]);
    expect(file?.shared).toBe(true);
  });

  it('follows a file over its renaming, and drops what was created and deleted', () => {
    const files = filesOf([
      change(0, 'changed', 'old', { before: content('0'), after: content('1'), held_at: 'new' }),
      change(1, 'renamed', 'new', { moved_from: 'old', before: content('1'), after: content('1') }),
      change(2, 'created', 'tmp', { after: content('t') }),
      change(3, 'deleted', 'tmp', { before: content('t') }),
      change(4, 'deleted', 'gone', { before: content('g') }),
      change(5, 'created', 'made', { after: content('m') }),
    ]);
    expect(files.map(({ path, change, moved_from }) => [path, change, moved_from])).toEqual([
      ['gone', 'deleted', undefined],
      ['made', 'created', undefined],
      ['new', 'renamed', 'old'],
      ['tmp', 'undone', undefined],
    ]);
    expect(tally(files)).toEqual([
      ['created', 1],
      ['renamed', 1],
      ['deleted', 1],
      ['undone', 1],
    ]);
  });
});

describe('live calls', () => {
  const run = (run_id: string, status: string, ...tools: string[]): RunState =>
    ({
      run_id,
      status,
      tools: tools.map((tool, index) => ({ index, name: tool, status: tool })),
    }) as unknown as RunState;

  it('are those of live runs that are under way: what runs first, what waits after it', () => {
    const runs = [
      run('new', 'running', 'succeeded', 'queued', 'running', 'pending'),
      run('old', 'paused', 'awaiting_approval', 'running'),
      run('over', 'failed', 'failed', 'skipped'),
    ];
    expect(liveCalls(runs).map(({ run: { run_id }, tool }) => `${run_id} ${tool.status}`)).toEqual([
      'new running',
      'old running',
      'old awaiting_approval',
      'new queued',
    ]);
    expect(liveRuns(runs)).toHaveLength(2);
  });

  it('tell when files may have changed: when a call ends, not while it goes on', () => {
    const before = endsOf([run('a', 'running', 'queued', 'running')]);
    expect(endsOf([run('a', 'running', 'running', 'running')])).toBe(before);
    expect(endsOf([run('a', 'running', 'succeeded', 'running')])).not.toBe(before);
  });
});

describe('a comparison', () => {
  it('numbers the lines of both sides and leaves out what is the same', () => {
    const lines = Array.from({ length: 20 }, (_, at) => `line ${at + 1}`);
    const before = `${lines.join('\n')}\n`;
    const after = `${lines.with(9, 'another').join('\n')}\n`;
    const { rows, added, removed } = compare(before, after)!;
    expect([added, removed]).toEqual([1, 1]);
    expect(rows.map(({ kind, before: old, after: now, text }) => [kind, old, now, text])).toEqual([
      ['gap', undefined, undefined, '6 lines'],
      ['same', 7, 7, 'line 7'],
      ['same', 8, 8, 'line 8'],
      ['same', 9, 9, 'line 9'],
      ['removed', 10, undefined, 'line 10'],
      ['added', undefined, 10, 'another'],
      ['same', 11, 11, 'line 11'],
      ['same', 12, 12, 'line 12'],
      ['same', 13, 13, 'line 13'],
      ['gap', undefined, undefined, '7 lines'],
    ]);
  });

  it('of a new, an emptied and an equal content is what it is', () => {
    expect(compare('', 'a\nb\n')).toMatchObject({ added: 2, removed: 0 });
    expect(compare('', 'a\n')?.rows).toEqual([{ kind: 'added', after: 1, text: 'a' }]);
    expect(compare('a\n', '')?.rows).toEqual([{ kind: 'removed', before: 1, text: 'a' }]);
    expect(compare('a\n', 'a\n')).toEqual({ rows: [], added: 0, removed: 0 });
  });
});
