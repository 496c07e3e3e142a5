import { type ParseEntry, parse } from 'shell-quote';
import { refused } from '../files/refused.ts';

/**
 * The words of a command. A line is split as a shell would split it, but there is no shell: what only one could do
 * (pipes, redirections, expansions, several commands) is refused and not passed on as text.
 */
export function wordsOf(command: string | readonly string[]): string[] {
  const words = typeof command === 'string' ? split(command) : [...command];
  if (words.length === 0 || words[0] === '') throw refused('invalid_arguments', 'The command names no program.');
  if (words.some((word) => word.includes('\0')))
    throw refused('invalid_arguments', 'A word of the command holds a NUL.');
  return words;
}

function split(line: string): string[] {
  if (/[\n\r`]/.test(line)) throw metacharacter(/`/.test(line) ? '`' : 'a line break');
  return parse(line, (name: string) => ({ op: `$${name}` }) as never).map((entry: ParseEntry) => {
    if (typeof entry === 'string') return entry;
    if ('comment' in entry) throw metacharacter('#');
    if (entry.op === 'glob') throw metacharacter(entry.pattern);
    throw metacharacter(entry.op);
  });
}

const metacharacter = (what: string) =>
  refused(
    'shell_syntax',
    `There is no shell: ${JSON.stringify(what)} has no meaning here. Give one program with its arguments as a list; a list's words are passed on exactly as they are.`,
  );

/**
 * Refuses programs that the operator did not name, and arguments that lead out of the folder. The second keeps honest
 * programs honest, no more: what an allowed program can do by itself, it does.
 */
export function checkCommand([program = '', ...args]: readonly string[], allowed: readonly string[]): void {
  if (!allowed.includes(program)) {
    const list = allowed.length === 0 ? 'none' : allowed.join(', ');
    throw refused('program_not_allowed', `${JSON.stringify(program)} may not be run; these may: ${list}.`);
  }
  for (const arg of args) {
    // The value of `--option=value` and `-Ovalue` is as good as an argument of its own.
    const values = [arg, arg.replace(/^--?[\w-]+=/, ''), arg.replace(/^-[A-Za-z]/, '')];
    if (values.some((value) => /^[/~]/.test(value) || /(^|[/\\])\.\.([/\\]|$)/.test(value))) {
      const message = `The argument ${JSON.stringify(arg)} leads out of the folder; use paths inside it.`;
      throw refused('path_outside_workspace', message);
    }
  }
}

/** Names only: a path would choose the file, and the operator named a program. */
export const allowedPrograms = (setting: string): string[] =>
  setting.split(',').flatMap((part) => (/^[\w.+-]+$/.test(part.trim()) ? [part.trim()] : []));
