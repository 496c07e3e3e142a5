import { describe, expect, it } from 'vitest';
import { allowedPrograms, checkCommand, wordsOf } from './command-line.ts';

describe('a command line', () => {
  it.each([
    ['ls -la src', ['ls', '-la', 'src']],
    [`grep "two words" 'a $b' c\\ d`, ['grep', 'two words', 'a $b', 'c d']],
    ["echo ''", ['echo', '']],
    [
      ['echo', '$HOME', '; rm -rf', '`x`', '*.ts'],
      ['echo', '$HOME', '; rm -rf', '`x`', '*.ts'],
    ],
  ])('%j is %j', (command, words) => expect(wordsOf(command)).toEqual(words));

  it.each([
    'ls; rm x',
    'ls && rm x',
    'ls || rm x',
    'ls | wc',
    'ls > out',
    'ls >> out',
    'cat < in',
    'ls &',
    'echo $HOME',
    'echo "$HOME"',
    `echo $\{HOME}`,
    'echo $(id)',
    'echo `id`',
    'ls *.ts',
    'ls\nid',
    'ls # id',
    '(ls)',
  ])('%j is refused', (command) => {
    expect(() => wordsOf(command)).toThrow(expect.objectContaining({ code: 'shell_syntax' }));
  });

  it.each([['  '], [['']], [['a\0b']]])('%j names no program', (command) => {
    expect(() => wordsOf(command)).toThrow(expect.objectContaining({ code: 'invalid_arguments' }));
  });
});

describe('what may be run', () => {
  const check = (...words: string[]) => checkCommand(words, ['cat', 'grep']);

  it('only what the operator named, by that name', () => {
    expect(() => check('cat', 'a.txt')).not.toThrow();
    for (const program of ['rm', '/bin/cat', './cat', 'cat ', 'CAT']) {
      expect(() => check(program)).toThrow(expect.objectContaining({ code: 'program_not_allowed' }));
    }
    expect(() => checkCommand(['ls'], [])).toThrow('none');
  });

  it.each([
    '/etc/passwd',
    '../x',
    'a/../../x',
    '..',
    '~/x',
    '~root',
    '--file=/etc/passwd',
    '-f/etc/passwd',
    '-f../x',
    '--f=..',
  ])('not with %s', (arg) =>
    expect(() => check('cat', arg)).toThrow(expect.objectContaining({ code: 'path_outside_workspace' })),
  );

  it.each(['a..b', '...', 'a/b', 'https://example.com/x', '-n', '--x=a/b', 's/a/b/'])('but with %s', (arg) =>
    expect(() => check('cat', arg)).not.toThrow(),
  );

  it('an allow-list holds names', () => {
    expect(allowedPrograms(' node, git ,/bin/sh,../x,,g++ ')).toEqual(['node', 'git', 'g++']);
  });
});
