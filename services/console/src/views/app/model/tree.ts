import type { FileListing } from '@toolstream/client';

/** A folder, or a file in it. A folder's size and time are those of everything below it. */
export type TreeNode =
  | {
      readonly kind: 'folder';
      readonly path: string;
      readonly name: string;
      readonly size: number;
      readonly files: number;
      readonly modified_at: string;
      readonly children: readonly TreeNode[];
    }
  | { readonly kind: 'file'; readonly path: string; readonly name: string; readonly file: FileListing };

/** The files as folders within folders: folders first, each by name. */
export function treeOf(files: readonly FileListing[]): readonly TreeNode[] {
  return nodesOf(files, '');
}

/** Folders that hold the path, outermost first. */
export function foldersOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

/** Paths that contain the words, in any case; all of them without words. */
export function matching(files: readonly FileListing[], words: string): readonly FileListing[] {
  const wanted = words.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return wanted.length === 0 ? files : files.filter(({ path }) => wanted.every((w) => path.toLowerCase().includes(w)));
}

function nodesOf(files: readonly FileListing[], prefix: string): readonly TreeNode[] {
  const folders = new Map<string, FileListing[]>();
  const here: TreeNode[] = [];
  for (const file of files) {
    const rest = file.path.slice(prefix.length);
    const slash = rest.indexOf('/');
    if (slash === -1) {
      here.push({ kind: 'file', path: file.path, name: rest, file });
      continue;
    }
    const name = rest.slice(0, slash);
    const inside = folders.get(name);
    if (inside) inside.push(file);
    else folders.set(name, [file]);
  }
  const nested = [...folders].map(([name, inside]): TreeNode => {
    const path = prefix + name;
    return {
      kind: 'folder',
      path,
      name,
      size: inside.reduce((sum, { size }) => sum + size, 0),
      files: inside.length,
      modified_at: latest(inside),
      children: nodesOf(inside, `${path}/`),
    };
  });
  return [...nested.sort(byName), ...here.sort(byName)];
}

const byName = (a: TreeNode, b: TreeNode): number => a.name.localeCompare(b.name, 'en', { numeric: true });

/** Instants of one notation are in order as text. */
const latest = (files: readonly FileListing[]): string =>
  files
    .map(({ modified_at }) => modified_at)
    .sort()
    .at(-1) ?? '';
