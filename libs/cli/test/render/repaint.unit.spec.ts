import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repaint } from '../../src/render/repaint.ts';
import { fit, widthOf } from '../../src/render/text.ts';
import { bytes, duration, ordinal } from '../../src/render/units.ts';
import { Terminal } from './terminal.ts';

const lines = fc.array(fc.constantFrom('a', 'bb', 'ccc', 'dddd'), { maxLength: 8 });

describe('a repaint', () => {
  it('leaves exactly the new lines, whatever was there', () => {
    fc.assert(
      fc.property(fc.array(lines, { minLength: 1, maxLength: 8 }), (pictures) => {
        const terminal = new Terminal();
        let previous: string[] = [];
        for (const next of pictures) {
          terminal.write(repaint(previous, next));
          expect(terminal.rows).toEqual([...next, '']);
          previous = next;
        }
      }),
      { seed: 20260101 },
    );
  });

  it('writes nothing when nothing changed, and only the lines that did', () => {
    expect(repaint(['a', 'b', 'c'], ['a', 'b', 'c'])).toBe('');
    expect(repaint(['a', 'b', 'c'], ['a', 'X', 'c'])).toBe('\r\u001b[3A\n\u001b[2KX\n\n');
  });

  it('counts the rows that long lines take once the terminal is narrower', () => {
    expect(repaint(['x'.repeat(25), 'y'], ['x', 'y'], 10)).toBe('\r\u001b[4A\u001b[Jx\ny\n');
  });
});

describe('texts', () => {
  it('are measured in columns and cut at graphemes', () => {
    expect(widthOf('日本')).toBe(4);
    expect(widthOf('e\u0301')).toBe(1);
    expect(widthOf('👩‍💻')).toBe(2);
    expect(fit('日本語のファイル', 7)).toBe('日本語…');
    expect(fit('abc', 3)).toBe('abc');
    expect(fit('abcd', 3)).toBe('ab…');
    expect(fit('abcd', 0)).toBe('');
  });

  it('of quantities are short', () => {
    expect([0, 999, 1_234, 48_000, 5_600_000].map(bytes)).toEqual(['0 B', '999 B', '1.2 kB', '48 kB', '5.6 MB']);
    expect([7, 999, 1_500, 61_000, 3_700_000].map(duration)).toEqual([
      '7 ms',
      '999 ms',
      '1.5 s',
      '1 min 1 s',
      '1 h 1 min',
    ]);
    expect([1, 2, 3, 4, 11, 12, 21, 102].map(ordinal)).toEqual([
      '1st',
      '2nd',
      '3rd',
      '4th',
      '11th',
      '12th',
      '21st',
      '102nd',
    ]);
  });
});
