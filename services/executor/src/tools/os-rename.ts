import { defineTool, isToolFailure, type WorkspaceFile } from '@toolstream/tool-kit';
import { z } from 'zod';
import { fileNotFound, refused } from './files/refused.ts';

export const osRename = defineTool({
  name: 'os-rename',
  description:
    "Rename or move one file of the app's workspace. A file that is already at the new path is never replaced: delete it first.",
  input: z.object({
    original_file_path: z.string().min(1).max(512).describe('Path of the file now'),
    new_file_path: z.string().min(1).max(512).describe('Path that it gets'),
  }),
  // The store knows which call moved a file: an attempt after a lost one finds its own move, and is done.
  idempotent: true,
  isolation: 'inline',
  timeoutMs: 30_000,
  estimatedMs: 200,

  async run(ctx, { original_file_path: from, new_file_path: to }) {
    await ctx.progress({ stage: 'renaming', message: `Renaming ${from} to ${to}` });
    const head = await ctx.workspace.head(from);
    let file: WorkspaceFile;
    try {
      file = await ctx.workspace.rename(from, to, { expectedRevision: head?.revision ?? 0 });
    } catch (error) {
      if (!isToolFailure(error) || error.code !== 'workspace_conflict') throw error;
      if (!head) throw fileNotFound(from);
      if (await ctx.workspace.head(to)) {
        throw refused('file_exists', `${to} exists already; delete it first, or choose another path.`);
      }
      throw error;
    }
    await ctx.progress({
      stage: 'complete',
      message: `Renamed ${from} to ${to}`,
      progress: 100,
      details: { file_size: file.size },
    });
    return { original_file_path: from, new_file_path: to, file_size: file.size };
  },
});
