import type { ArtifactRef, Json } from '@toolstream/proto-events';

/** Whether a value stands for one that is kept elsewhere. The full check is the service's, when it is fetched. */
export function isReference(value: Json): value is ArtifactRef & { [key: string]: Json } {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false;
  const { $ref, ...others } = value;
  if (Object.keys(others).length > 0 || $ref === null || typeof $ref !== 'object' || Array.isArray($ref)) return false;
  return typeof $ref?.artifact === 'string' && typeof $ref.bytes === 'number' && typeof $ref.sha256 === 'string';
}

/** A file of the app's workspace that a call names, and whether a browser can show it as a picture. */
export interface NamedFile {
  readonly path: string;
  readonly picture: boolean;
}

const PATH_KEYS = ['file_path', 'path', 'new_path', 'to'];
const PICTURE = /\.(png|jpe?g|gif|webp|avif|bmp|ico)$/i;
const MOST = 50;

/** The files that a result names, at its top or in a list of entries, each once. */
export function namedFiles(value: Json | undefined): NamedFile[] {
  const paths = new Set<string>();
  collect(value, paths, 0);
  return [...paths].map((path) => ({ path, picture: PICTURE.test(path) }));
}

function collect(value: Json | undefined, paths: Set<string>, depth: number): void {
  if (value === null || typeof value !== 'object' || depth > 3 || paths.size >= MOST) return;
  if (Array.isArray(value)) {
    for (const item of value.slice(0, MOST)) collect(item, paths, depth + 1);
    return;
  }
  for (const key of PATH_KEYS) {
    const path = value[key];
    if (typeof path === 'string' && path !== '' && path.length <= 512 && paths.size < MOST) paths.add(path);
  }
  for (const [key, item] of Object.entries(value)) if (!PATH_KEYS.includes(key)) collect(item, paths, depth + 1);
}
