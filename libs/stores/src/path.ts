import { isToken, workspacePath } from '@toolstream/proto-events';
import { PathError } from './errors.ts';

/** The one spelling of a path inside a workspace, as `workspacePath` of the contract has it. */
export function normalisePath(input: string): string {
  const read = workspacePath(input);
  if ('path' in read) return read.path;
  throw new PathError(read.refused.code, read.refused.message);
}

export interface Scope {
  readonly tenant: string;
  readonly app: string;
}

/** `<tenant>.<app>`: both are checked, so no key can reach into another tenant's part of the index. */
export function scopeKey({ tenant, app }: Scope): string {
  if (!isToken(tenant)) throw new PathError('invalid_arguments', `${JSON.stringify(tenant)} is no tenant.`);
  if (!isToken(app)) throw new PathError('invalid_arguments', `${JSON.stringify(app)} is no app.`);
  return `${tenant}.${app}`;
}

/** `<tenant>.<app>.<base64url(path)>`, unpadded: only characters that a subject token and a KV key may hold. */
export const fileKey = (scope: Scope, path: string): string =>
  `${scopeKey(scope)}.${Buffer.from(path).toString('base64url')}`;

/** The path in the last token of a key or subject. */
export const pathOfKey = (key: string): string =>
  Buffer.from(key.slice(key.lastIndexOf('.') + 1), 'base64url').toString();
