import { createHash } from 'node:crypto';
import type { Json } from '@toolstream/proto-events';
import { Refusal } from '../problems.ts';

/** Deeper values would overflow the stack of some recursive reader sooner or later; no tool needs them. */
export const MAX_JSON_DEPTH = 128;

/** Refuses values nested deeper than {@link MAX_JSON_DEPTH}, without recursion of its own. */
export function requireShallow(value: unknown, where: string): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_JSON_DEPTH) {
      const message = `is nested deeper than ${MAX_JSON_DEPTH} levels`;
      throw new Refusal('invalid', `${where}: ${message}`, { fields: [{ path: where, message }] });
    }
    const next: unknown[] = [];
    for (const parent of level) {
      if (typeof parent !== 'object' || parent === null) continue;
      for (const child of Array.isArray(parent) ? parent : Object.values(parent)) {
        if (typeof child === 'object' && child !== null) next.push(child);
      }
    }
    level = next;
  }
}

/** One text for one value: keys sorted, no spaces. Equal values give equal texts whatever order their keys came in. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(sorted(value));
}

/** The value with every object's keys in order; parts that are in order already are used as they are. */
function sorted(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    let copy: Json[] | undefined;
    for (let at = 0; at < value.length; at++) {
      const item = value[at] as Json;
      if (typeof item !== 'object' || item === null) continue;
      const after = sorted(item);
      if (after !== item) {
        copy ??= [...value];
        copy[at] = after;
      }
    }
    return copy ?? value;
  }
  const keys = Object.keys(value);
  let changed = false;
  let before = '';
  const members = keys.map((key) => {
    const member = value[key] as Json;
    const after = sorted(member);
    if (key < before || after !== member) changed = true;
    before = key;
    return [key, after] as const;
  });
  if (!changed) return value;
  // `fromEntries` defines, so a key named `__proto__` stays a key. Integer-like keys come first in any object, sorted.
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');
