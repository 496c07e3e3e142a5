import { defineTool, isToolFailure } from '@toolstream/tool-kit';
import { z } from 'zod';
import { fileNotFound } from './files/refused.ts';

export const osDelete = defineTool({
  name: 'os-delete',
  description: "Delete one file of the app's workspace. It cannot be brought back.",
  input: z.object({ file_path: z.string().min(1).max(512).describe('Path inside the workspace') }),
  // The store knows which call deleted a file: an attempt after a lost one finds its own deletion, and is done.
  idempotent: true,
  destructive: true,
  isolation: 'inline',
  timeoutMs: 30_000,
  estimatedMs: 150,

  async run(ctx, { file_path }) {
    await ctx.progress({ stage: 'deleting', message: `Deleting ${file_path}` });
    const head = await ctx.workspace.head(file_path);
    try {
      await ctx.workspace.delete(file_path, { expectedRevision: head?.revision ?? 0 });
    } catch (error) {
      if (!head && isToolFailure(error) && error.code === 'workspace_conflict') throw fileNotFound(file_path);
      throw error;
    }
    await ctx.progress({
      stage: 'complete',
      message: `Deleted ${file_path}`,
      progress: 100,
      ...(head ? { details: { file_size: head.file.size } } : {}),
    });
    return { file_path, deleted: true, ...(head ? { file_size: head.file.size } : {}) };
  },
});
