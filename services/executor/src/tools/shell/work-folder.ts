import { constants, mkdir, mkdtemp, open, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { normalPath, type ToolContext } from '@toolstream/tool-kit';
import { refused } from '../files/refused.ts';

const MAX_FILE_BYTES = 16 * 1024 * 1024;

interface Copied {
  readonly path: string;
  /** 0: not in the workspace. */
  readonly revision: number;
  readonly bytes: Uint8Array | undefined;
}

export interface Changed {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly expectedRevision: number;
}

/** A fresh folder that holds the named files of the workspace, and nothing else, for one command. */
export class WorkFolder {
  readonly root: string;
  readonly #copied: readonly Copied[];

  static async make(ctx: ToolContext, paths: readonly string[]): Promise<WorkFolder> {
    // Resolved: what a path is compared with must be what the system itself says.
    const root = await realpath(await mkdtemp(join(tmpdir(), 'toolstream-shell-')));
    try {
      for (const folder of ['work', 'home', 'tmp']) await mkdir(join(root, folder));
      const copied = new Map<string, Copied>();
      for (const asked of paths) {
        const path = normalPath(asked);
        const file = await ctx.workspace.read(path);
        copied.set(path, { path, revision: file?.revision ?? 0, bytes: file?.bytes });
        const target = join(root, 'work', path);
        await mkdir(dirname(target), { recursive: true });
        if (file) await writeFile(target, file.bytes, { flag: 'wx' });
      }
      return new WorkFolder(root, [...copied.values()]);
    } catch (error) {
      await rm(root, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(root: string, copied: readonly Copied[]) {
    this.root = root;
    this.#copied = copied;
  }

  get work(): string {
    return join(this.root, 'work');
  }

  /** The named files that are not what they were. Links are not followed, wherever in the path a program put them. */
  async changed(): Promise<{ changed: Changed[]; missing: string[] }> {
    const changed: Changed[] = [];
    const missing: string[] = [];
    for (const { path, revision, bytes: before } of this.#copied) {
      const bytes = await this.#read(path);
      if (bytes === undefined) {
        if (before !== undefined) missing.push(path);
      } else if (before === undefined || !Buffer.from(before).equals(bytes)) {
        changed.push({ path, bytes, expectedRevision: revision });
      }
    }
    return { changed, missing };
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }

  async #read(path: string): Promise<Uint8Array | undefined> {
    const target = join(this.work, path);
    let real: string;
    try {
      real = await realpath(target);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw leadsAway(path);
    }
    if (real !== target) throw leadsAway(path);
    // Non-blocking: a pipe in place of the file would be waited for.
    const handle = await open(target, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size, nlink } = await handle.stat().then((stat) => {
        if (!stat.isFile()) throw leadsAway(path);
        return stat;
      });
      if (nlink > 1) throw leadsAway(path);
      if (size > MAX_FILE_BYTES) {
        throw refused('file_too_large', `${path} grew to ${size} bytes; up to ${MAX_FILE_BYTES} are kept.`);
      }
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  }
}

const leadsAway = (path: string) =>
  refused('path_outside_workspace', `${path} became a link or something else that is no plain file; nothing was kept.`);
