import { MAX_PATH_BYTES } from '@toolstream/proto-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalisePath, PathError } from '../src/index.ts';
import { fileKey, pathOfKey } from '../src/path.ts';

const codeOf = (input: string) => {
  try {
    return normalisePath(input);
  } catch (error) {
    return (error as PathError).code;
  }
};

describe('a workspace path', () => {
  it.each([
    ['src/index.ts', 'src/index.ts'],
    ['./src//lib/./a b.ts', 'src/lib/a b.ts'],
    ['.env', '.env'],
    ['a/..b/c...d', 'a/..b/c...d'],
    ['e\u0301.txt', '\u00e9.txt'],
    ['日本語/ファイル.md', '日本語/ファイル.md'],
  ])('%j is spelled %j', (input, path) => {
    expect(normalisePath(input)).toBe(path);
  });

  it.each([
    '/etc/passwd',
    '../x',
    'a/../../x',
    'a/..',
    '..',
    'C:/x',
    'c:x',
    'a\\b',
    '\\\\host\\share',
    '~/x',
    '~root/x',
  ])('%j would lie outside', (input) => {
    expect(codeOf(input)).toBe('path_outside_workspace');
  });

  it.each([
    '',
    'a\0b',
    'a\nb',
    'a\u007fb',
    'a\u0085b',
    '\ud800',
    '.',
    './',
    'dir/',
    'a/.',
    'x'.repeat(MAX_PATH_BYTES + 1),
  ])('%j is no path of a file', (input) => {
    expect(codeOf(input)).toBe('invalid_arguments');
  });

  it('is measured in bytes', () => {
    expect(codeOf('é'.repeat(MAX_PATH_BYTES / 2))).toBe('é'.repeat(MAX_PATH_BYTES / 2));
    expect(codeOf('é'.repeat(MAX_PATH_BYTES / 2 + 1))).toBe('invalid_arguments');
  });

  it('once normal stays so, never leaves the workspace, and comes back from its key', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '.', '/', '..', '\\', ' ', ':', '~', '\0', '-', '_') });
    fc.assert(
      fc.property(text, (input) => {
        let path: string;
        try {
          path = normalisePath(input);
        } catch (error) {
          expect(error).toBeInstanceOf(PathError);
          return;
        }
        expect(normalisePath(path)).toBe(path);
        expect(path.split('/').filter((part) => ['', '.', '..'].includes(part))).toEqual([]);
        const key = fileKey({ tenant: 't', app: 'a' }, path);
        expect(key).toMatch(/^t\.a\.[A-Za-z0-9_-]+$/);
        expect(pathOfKey(key)).toBe(path);
      }),
      { seed: 7, numRuns: 2_000 },
    );
  });

  it('cannot be put under another tenant by a name that is no token', () => {
    for (const tenant of ['t.other', '*', '>', '', 'a b', 'x'.repeat(65)]) {
      expect(() => fileKey({ tenant, app: 'a' }, 'x')).toThrow(PathError);
      expect(() => fileKey({ tenant: 't', app: tenant }, 'x')).toThrow(PathError);
    }
  });
});
