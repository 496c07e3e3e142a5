import { createHash } from 'node:crypto';

const LONGEST = 64;
const HASH_CHARS = 8;

/**
 * Names of a server's tools as Toolstream has them: `<prefix>_<tool>`, of tokens' characters, at most 64 of them. Names
 * that would be the same, or too long, end with a hash of the server's own name: the same in every executor.
 */
export function safeNames(prefix: string, tools: readonly string[]): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const tool of [...tools].sort()) {
    const whole = prefix === '' ? tool : `${prefix}_${tool}`;
    const safe = whole.replace(/[^A-Za-z0-9_-]/g, '_') || '_';
    const name = safe.length > LONGEST || taken.has(safe) ? hashed(safe, tool) : safe;
    taken.add(name);
    names.set(tool, name);
  }
  return names;
}

function hashed(safe: string, tool: string): string {
  const hash = createHash('sha256').update(tool).digest('hex').slice(0, HASH_CHARS);
  return `${safe.slice(0, LONGEST - HASH_CHARS - 1)}_${hash}`;
}

/** Whether a name is meant by one of the patterns, in which `*` stands for any characters. */
export const isMeant = (name: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`, 's').test(name));

const escaped = (text: string): string => text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&');
