import { isToken } from '@toolstream/proto-events';
import { PathError } from './errors.ts';

/** In bytes of UTF-8: base64url makes at most 683 characters of it, well within a NATS subject (see the README). */
export const MAX_PATH_BYTES = 512;

const CONTROL = /\p{Cc}|\p{Cs}|[\u2028\u2029]/u;

const shown = (path: string) => JSON.stringify(path.length > 100 ? `${path.slice(0, 100)}…` : path);

/**
 * The one spelling of a path inside a workspace: relative, `/`-separated, without `.` or empty parts, in Unicode's
 * composed form. Whatever could mean something outside (absolute, `..`, drive letters, backslashes) is refused, not repaired.
 */
export function normalisePath(input: string): string {
  if (typeof input !== 'string' || input === '') throw new PathError('invalid_arguments', 'The path is empty.');
  if (CONTROL.test(input)) {
    throw new PathError('invalid_arguments', `The path ${shown(input)} holds control characters; use a plain path.`);
  }
  const path = input.normalize('NFC');
  if (path.includes('\\')) {
    throw new PathError('path_outside_workspace', `The path ${shown(input)} holds a backslash; separate parts by "/".`);
  }
  if (path.startsWith('/') || path.startsWith('~') || /^[A-Za-z]:/.test(path)) {
    throw new PathError('path_outside_workspace', `The path ${shown(input)} is absolute; make it relative to the app.`);
  }
  const parts = path.split('/');
  if (parts.includes('..')) {
    throw new PathError('path_outside_workspace', `The path ${shown(input)} leaves the workspace; remove "..".`);
  }
  if (parts.at(-1) === '' || parts.at(-1) === '.') {
    throw new PathError('invalid_arguments', `The path ${shown(input)} names a folder; name a file.`);
  }
  const normal = parts.filter((part) => part !== '' && part !== '.').join('/');
  if (Buffer.byteLength(normal) > MAX_PATH_BYTES) {
    throw new PathError('invalid_arguments', `The path ${shown(input)} is longer than ${MAX_PATH_BYTES} bytes.`);
  }
  return normal;
}

export interface Scope {
  readonly tenant: string;
  readonly app: string;
}

/** `<tenant>.<app>`: both are checked, so no key can reach into another tenant's part of the index. */
export function scopeKey({ tenant, app }: Scope): string {
  if (!isToken(tenant)) throw new PathError('invalid_arguments', `${shown(tenant)} is no tenant.`);
  if (!isToken(app)) throw new PathError('invalid_arguments', `${shown(app)} is no app.`);
  return `${tenant}.${app}`;
}

/** `<tenant>.<app>.<base64url(path)>`, unpadded: only characters that a subject token and a KV key may hold. */
export const fileKey = (scope: Scope, path: string): string =>
  `${scopeKey(scope)}.${Buffer.from(path).toString('base64url')}`;

/** The path in the last token of a key or subject. */
export const pathOfKey = (key: string): string =>
  Buffer.from(key.slice(key.lastIndexOf('.') + 1), 'base64url').toString();
