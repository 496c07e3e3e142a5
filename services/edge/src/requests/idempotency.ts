import { newUlid } from '@toolstream/service-kit';
import { Refusal } from '../problems.ts';
import { sha256 } from './json.ts';

const KEY = /^[\x20-\x7e]{1,255}$/;

export function idempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header !== 'string' || !KEY.test(header)) {
    throw new Refusal('bad_request', 'Idempotency-Key must be 1 to 255 printable ASCII characters.');
  }
  return header;
}

/**
 * The id by which a repeated command is recognised. It covers what was asked for, so that one key used for a pause and then
 * for a resume is two commands, and never the second one answered with the first one's event.
 */
export function commandId(command: string, index: number | undefined, caller: string, key: string | undefined): string {
  if (key === undefined) return newUlid();
  return sha256(JSON.stringify([caller, command, index ?? null, key])).slice(0, 40);
}

/** Ids of this length are taken to be unique for their user; shorter ones (`c1`) only within their connection. */
const UNIQUE_ID_LENGTH = 16;

export function frameCommandId(
  command: string,
  index: number | undefined,
  caller: { sub: string; session: string },
  id: string,
): string {
  const scope = id.length >= UNIQUE_ID_LENGTH ? caller.sub : `${caller.sub}/${caller.session}`;
  return commandId(command, index, scope, id);
}
