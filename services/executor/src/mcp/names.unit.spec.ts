import { isToken } from '@toolstream/proto-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMeant, safeNames } from './names.ts';

describe('Names of MCP tools', () => {
  it('are tokens, one each, whatever the server calls its tools, and the same in every order', () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 80, unit: 'grapheme' }), { maxLength: 20 });
    const prefixes = fc.stringMatching(/^[a-z-]{0,40}$/);
    fc.assert(
      fc.property(prefixes, names, (prefix, tools) => {
        const safe = safeNames(prefix, tools);
        expect(safe.size).toBe(tools.length);
        expect(new Set(safe.values()).size).toBe(tools.length);
        for (const name of safe.values()) expect(isToken(name)).toBe(true);
        expect(safeNames(prefix, [...tools].reverse())).toEqual(safe);
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it('begin with the prefix, if there is one', () => {
    expect([...safeNames('git', ['commit', 'a/b']).values()].sort()).toEqual(['git_a_b', 'git_commit']);
    expect([...safeNames('', ['commit']).values()]).toEqual(['commit']);
    expect(new Set(safeNames('', ['a/b', 'a.b']).values()).size).toBe(2);
  });

  it('are chosen by patterns', () => {
    expect(isMeant('read_file', ['read_*'])).toBe(true);
    expect(isMeant('read_file', ['*_dir', 'read'])).toBe(false);
    expect(isMeant('a.b', ['a?b', 'a.b+'])).toBe(false);
    expect(isMeant('a.b', ['a.b'])).toBe(true);
  });
});
