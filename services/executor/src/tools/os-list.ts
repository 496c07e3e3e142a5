import { defineTool } from '@toolstream/tool-kit';
import { z } from 'zod';
import { globTest } from './files/glob.ts';
import { reading } from './files/refused.ts';
import { folderPrefix, walk } from './files/walk.ts';

const MAX_ENTRIES = 1000;

export const osList = defineTool({
  name: 'os-list',
  description:
    "List files of the app's workspace with their sizes and line counts, in the order of their paths: all, those below a folder, or those that match a glob such as src/**/*.tsx. If there are more, pass `next` of the result as `after`.",
  input: z.object({
    folder: z.string().max(512).optional().describe('Only files below this folder'),
    glob: z.string().min(1).max(256).optional().describe('Only files whose path matches, for example **/*.css'),
    limit: z.number().int().min(1).max(MAX_ENTRIES).default(200).describe('How many files to list at most'),
    after: z.string().max(512).optional().describe('`next` of the list before'),
  }),
  idempotent: true,
  isolation: 'thread',
  timeoutMs: 60_000,
  estimatedMs: 150,

  async run(ctx, { folder, glob, limit, after }) {
    const prefix = folderPrefix(folder);
    const wanted = glob === undefined ? () => true : reading('glob', () => globTest([glob]));
    await ctx.progress({ stage: 'listing', message: `Listing ${prefix === '' ? 'all files' : prefix}` });
    const files: { path: string; size: number; lines?: number; modified_at: string }[] = [];
    let next: string | undefined;
    for await (const { path, size, lines, modified_at } of walk(ctx, prefix, after)) {
      if (!wanted(path)) continue;
      if (files.length === limit) {
        next = files.at(-1)?.path;
        break;
      }
      files.push({ path, size, ...(lines === undefined ? {} : { lines }), modified_at });
    }
    await ctx.progress({
      stage: 'complete',
      message: `Found ${files.length} file(s)${next === undefined ? '' : ', and there are more'}`,
      progress: 100,
      details: { files_found: files.length },
    });
    return { files, ...(next === undefined ? {} : { next }) };
  },
});
