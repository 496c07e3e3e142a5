import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromLines, mismatch, replacementLines, toLines } from './lines.ts';

describe('lines of a text', () => {
  it('go back together as they were, whatever they were', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r', '\r\n', ' ') });
    fc.assert(
      fc.property(text, (original) => {
        expect(fromLines(toLines(original))).toBe(original);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('know the newline of the file', () => {
    expect(toLines('a\r\nb\r\n')).toEqual({ lines: ['a', 'b'], newline: '\r\n', endsWithNewline: true });
    expect(toLines('a\r\nb\n').newline).toBe('\n');
  });

  it('of a replacement: none for nothing, and a final newline begins no other', () => {
    expect(replacementLines('')).toEqual([]);
    expect(replacementLines('a\n')).toEqual(['a']);
    expect(replacementLines('a\r\n\n')).toEqual(['a', '']);
  });
});

describe('a search text', () => {
  const region = ['function a() {', '  one();', '  two();', '  three();', '}'];

  it('must say what the lines say', () => {
    expect(mismatch(region.join('\n'), region)).toBeUndefined();
    expect(mismatch(region.join('\n').replace('two', 'too'), region)).toMatch(/line 3 of the range/);
  });

  it('may differ in spaces at the ends of lines', () => {
    expect(mismatch('function a() {  \n...\n}', region)).toBeUndefined();
  });

  it('may leave lines out by an ellipsis, even none', () => {
    expect(mismatch('function a() {\n...\n}', region)).toBeUndefined();
    expect(mismatch('...\n  three();\n}', region)).toBeUndefined();
    expect(mismatch('a\n…\nb', ['a', 'b'])).toBeUndefined();
    expect(mismatch('...', region)).toBeUndefined();
  });

  it('with middles must find them in order', () => {
    expect(mismatch('function a() {\n...\n  two();\n...\n}', region)).toBeUndefined();
    expect(mismatch('function a() {\n...\n  three();\n...\n  one();\n...\n}', region)).toMatch(/in this order/);
  });

  it('must be as long as the range where it leaves nothing out', () => {
    expect(mismatch('function a() {', region)).toMatch(/1 line\(s\), the range 5/);
  });

  it('cannot use one line twice', () => {
    expect(mismatch('a\n...\na', ['a'])).toMatch(/longer than the range/);
  });
});
