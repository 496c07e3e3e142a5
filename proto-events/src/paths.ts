/** In bytes of UTF-8: base64url makes at most 683 characters of it, well within a NATS subject. */
export const MAX_PATH_BYTES = 512;

export interface PathRefusal {
  /** `path_outside_workspace` where the path would leave the workspace, `invalid_arguments` where it is no path at all. */
  readonly code: 'path_outside_workspace' | 'invalid_arguments';
  readonly message: string;
}

const CONTROL = /\p{Cc}|\p{Cs}|[\u2028\u2029]/u;

/**
 * The one spelling of a path inside a workspace: relative, `/`-separated, without `.` or empty parts, in Unicode's
 * composed form. Whatever could mean something outside (absolute, `..`, drive letters, backslashes) is refused, not repaired.
 */
export function workspacePath(input: string): { readonly path: string } | { readonly refused: PathRefusal } {
  if (typeof input !== 'string' || input === '') return invalid('The path is empty.');
  if (CONTROL.test(input)) return invalid(`The path ${shown(input)} holds control characters; use a plain path.`);
  const path = input.normalize('NFC');
  if (path.includes('\\')) return outside(`The path ${shown(input)} holds a backslash; separate parts by "/".`);
  if (/^(\/|~|[A-Za-z]:)/.test(path)) {
    return outside(`The path ${shown(input)} is absolute; make it relative to the app.`);
  }
  const parts = path.split('/');
  if (parts.includes('..')) return outside(`The path ${shown(input)} leaves the workspace; remove "..".`);
  if (parts.at(-1) === '' || parts.at(-1) === '.') {
    return invalid(`The path ${shown(input)} names a folder; name a file.`);
  }
  const normal = parts.filter((part) => part !== '' && part !== '.').join('/');
  if (utf8Bytes(normal) > MAX_PATH_BYTES) {
    return invalid(`The path ${shown(input)} is longer than ${MAX_PATH_BYTES} bytes.`);
  }
  return { path: normal };
}

const invalid = (message: string) => ({ refused: { code: 'invalid_arguments', message } }) as const;
const outside = (message: string) => ({ refused: { code: 'path_outside_workspace', message } }) as const;

const shown = (path: string): string => JSON.stringify(path.length > 100 ? `${path.slice(0, 100)}…` : path);

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
