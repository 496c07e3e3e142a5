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
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as Json)}`);
  return `{${members.join(',')}}`;
}

export const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');
