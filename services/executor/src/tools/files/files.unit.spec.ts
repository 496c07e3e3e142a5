import { describe, expect, it } from 'vitest';
import { globTest } from './glob.ts';
import { lineMatcher } from './matcher.ts';
import { clipped, kindOf, textOf } from './text.ts';
import { folderPrefix } from './walk.ts';

describe('globs', () => {
  it.each([
    ['*.ts', 'a.ts', true],
    ['*.ts', 'deep/er/a.ts', true],
    ['*.ts', 'a.tsx', false],
    ['src/*.ts', 'src/a.ts', true],
    ['/src/*.ts', 'src/a.ts', true],
    ['./src/*.ts', 'src/a.ts', true],
    ['src/*.ts', 'src/b/a.ts', false],
    ['src/**/*.ts', 'src/a.ts', true],
    ['src/**/*.ts', 'src/b/c/a.ts', true],
    ['**/test/**', 'a/test/b/c', true],
    ['src/**', 'src/a/b', true],
    ['src/**', 'srcs/a', false],
    ['*.{ts,tsx}', 'a.tsx', true],
    ['*.{ts,tsx}', 'a.js', false],
    ['a?.md', 'a1.md', true],
    ['a?.md', 'a/.md', false],
    ['[a-c].md', 'b.md', true],
    ['[!a-c].md', 'b.md', false],
    ['[!a-c].md', 'd.md', true],
    ['a.b', 'axb', false],
    ['a(b)+|c', 'a(b)+|c', true],
    ['été-🙂*.txt', 'été-🙂2.txt', true],
  ])('%s and %s: %s', (glob, path, expected) => expect(globTest([glob])(path)).toBe(expected));

  it('take no time, however they are nested', () => {
    const started = performance.now();
    expect(globTest(['**/*a*a*a*a*a*a*a*a*a*a*a*b'])(`${'a'.repeat(400)}/${'a'.repeat(100)}`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each(['[abc', '{a,b', 'x'.repeat(300)])('%s is refused', (glob) => expect(() => globTest([glob])).toThrow());
});

describe('patterns over lines', () => {
  const at = (query: string, line: string, regex = false, ignoreCase = false) =>
    lineMatcher(query, { regex, ignoreCase })(line);

  it('literal or regular, with case or without', () => {
    expect(at('a.b', 'xa.b')).toBe(1);
    expect(at('a.b', 'xacb')).toBe(-1);
    expect(at('a.b', 'xacb', true)).toBe(1);
    expect(at('A.B', 'xa.b', false, true)).toBe(1);
    expect(at('A.C', 'xabc', true, true)).toBe(1);
    expect(at('^x\\d+$', 'x12', true)).toBe(0);
  });

  it('cannot be made to run for ever', () => {
    const started = performance.now();
    expect(at('(a+)+$', `${'a'.repeat(100_000)}b`, true)).toBe(-1);
    expect(at('(a|a)*(a|a)*(a|a)*c', 'a'.repeat(10_000), true)).toBe(-1);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it.each(['(?=a)b', '(a)\\1', '(', '((a{1000}){1000}){1000}'])('%s is refused', (query) => {
    expect(() => at(query, 'x', true)).toThrow();
  });
});

describe('bytes', () => {
  it('are text if they are UTF-8 and hold no NUL', () => {
    const bytes = (...values: number[]) => new Uint8Array(values);
    expect(textOf(new TextEncoder().encode('hé 🙂'))).toBe('hé 🙂');
    expect(textOf(bytes(97, 0, 98))).toBeUndefined();
    expect(textOf(bytes(0xff, 0xfe))).toBeUndefined();
    expect(kindOf(bytes(0x89, 0x50, 0x4e, 0x47, 1))).toBe('PNG image');
    expect(kindOf(bytes(1, 2, 3))).toBe('binary file');
  });

  it('are clipped between characters', () => {
    expect(clipped('ab🙂c', 3)).toBe('ab…');
    expect(clipped('ab🙂c', 4)).toBe('ab🙂…');
    expect(clipped('abc', 3)).toBe('abc');
  });
});

it.each([
  [undefined, ''],
  ['', ''],
  ['.', ''],
  ['/', ''],
  ['src', 'src/'],
  ['/src/', 'src/'],
  ['./src/ui//', 'src/ui/'],
])('the folder %s is the prefix %s', (folder, prefix) => expect(folderPrefix(folder)).toBe(prefix));
