import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** The repository that this file lives in (from `src` and from `dist` alike), or undefined when installed elsewhere. */
export function projectRoot(from: string = import.meta.dirname): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).workspaces) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/** Where binaries and templates are kept between runs. Everything in it can be deleted and comes back. */
export function cacheFolder(name: string): string {
  const root = projectRoot();
  if (root) return join(root, '.cache', name);
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'toolstream', name);
}
