import { defineTool, ToolFailure } from '@toolstream/tool-kit';
import { z } from 'zod';

/** What a team would add to the bundled tools: one that works on records, one that somebody has to approve. */
const importCatalog = defineTool({
  name: 'import-catalog',
  description: 'Import products from a price list, row by row',
  input: z.object({
    rows: z.number().int().min(1).max(10_000).describe('How many rows the list has'),
    ms_per_row: z.number().int().min(0).max(1_000).default(2),
    reject: z.boolean().default(false).describe('Refuse the last row, as a broken list would be'),
  }),
  idempotent: true,
  isolation: 'inline',
  estimatedMs: 4_000,
  async run(ctx, { rows, ms_per_row, reject }) {
    for (let row = 1; row <= rows; row++) {
      await new Promise((resolve) => setTimeout(resolve, ms_per_row));
      ctx.signal.throwIfAborted();
      if (row % 20 === 0 || row === rows) await ctx.output('log', `row ${row}: SKU-${String(1000 + row)} imported\n`);
      await ctx.progress({
        stage: 'importing',
        message: `Row ${row} of ${rows}`,
        progress: (row / rows) * 100,
        details: { rows: row, total_rows: rows },
      });
    }
    if (reject)
      throw new ToolFailure({
        code: 'bad_price',
        message: `Row ${rows}: “12,-” is no price. Correct the list and retry.`,
        retryable: false,
      });
    return { imported: rows };
  },
});

const publishSite = defineTool({
  name: 'publish-site',
  description: 'Publish the workspace for everybody to see',
  input: z.object({ domain: z.string() }),
  idempotent: true,
  isolation: 'inline',
  approval: 'always',
  estimatedMs: 1_500,
  run: (_ctx, { domain }) => ({ published: domain }),
});

export const tools = [importCatalog, publishSite];
