import { defineTool, ToolFailure } from '@toolstream/tool-kit';
import { z } from 'zod';
import { countLines } from './analysis/file-analysis.ts';
import { refused } from './files/refused.ts';
import { fromLines, mismatch, replacementLines, toLines } from './lines.ts';
import { earlierResult, fingerprint, writeRecord } from './own-write.ts';

export const osLineReplace = defineTool({
  name: 'os-line-replace',
  description:
    "Replace a range of lines of a text file in the app's workspace. Lines count from 1 and both ends belong to the range. Give `search` to make sure that the range holds what you think it does.",
  input: z.object({
    file_path: z.string().min(1).max(512).describe('Path inside the workspace'),
    search: z
      .string()
      .optional()
      .describe('What the replaced lines say now; a line of only ... stands for any number of lines'),
    first_replaced_line: z.number().int().min(1).describe('First line to replace, counted from 1'),
    last_replaced_line: z.number().int().min(1).describe('Last line to replace'),
    replace: z.string().describe('The new lines; empty removes the range'),
  }),
  // An attempt that finds its own call's write in the file returns that write's result: it never replaces twice.
  idempotent: true,
  isolation: 'thread',
  timeoutMs: 60_000,
  estimatedMs: 300,

  async run(ctx, input) {
    const { file_path, search, first_replaced_line: first, last_replaced_line: last, replace } = input;
    const asked = fingerprint({ ...input, search: search ?? null });
    await ctx.progress({ stage: 'reading', message: `Reading ${file_path}` });
    const file = await ctx.workspace.read(file_path);
    const earlier = earlierResult(ctx, file, asked);
    if (earlier !== undefined) return earlier;
    if (!file) throw refused('file_not_found', `${file_path} does not exist; write it with os-write.`);

    const text = toLines(decode(file_path, file.bytes));
    if (first > last) throw refused('line_out_of_range', `Line ${first} comes after line ${last}: swap them.`);
    if (last > text.lines.length) {
      throw refused('line_out_of_range', `${file_path} has ${text.lines.length} lines; line ${last} is not there.`);
    }
    const region = text.lines.slice(first - 1, last);
    if (search !== undefined && search !== '') {
      await ctx.progress({ stage: 'matching', message: `Comparing lines ${first} to ${last}` });
      const problem = mismatch(search, region);
      if (problem) {
        const actual = region.slice(0, 50).join('\n').slice(0, 4000);
        throw new ToolFailure({
          code: 'search_mismatch',
          message: `Lines ${first} to ${last} of ${file_path} are not what search says: ${problem}. Read the file again.`,
          details: { actual },
        });
      }
    }

    const replacement = replacementLines(replace);
    const lines = [...text.lines.slice(0, first - 1), ...replacement, ...text.lines.slice(last)];
    const content = fromLines({ ...text, lines });
    const bytes = new TextEncoder().encode(content);
    const result = {
      file_path,
      first_replaced_line: first,
      last_replaced_line: last,
      lines_removed: region.length,
      lines_written: replacement.length,
      line_count: countLines(content),
      file_size: bytes.byteLength,
    };
    const counts = { bytes_written: bytes.byteLength, lines_written: replacement.length };
    const total = bytes.byteLength;
    const writing = (written: number) =>
      ctx.progress({
        stage: 'writing',
        message: `Writing ${file_path}`,
        ...(total === 0 ? {} : { progress: Math.floor((written / total) * 100) }),
        details: {
          lines_removed: region.length,
          lines_written: replacement.length,
          bytes_written: written,
          total_bytes: total,
        },
      });
    await writing(0);
    await ctx.workspace.write(file_path, bytes, {
      expectedRevision: file.revision,
      meta: writeRecord(asked, result, counts),
      onBytes: (written) => void writing(written),
    });
    ctx.metrics.add('bytes_written', counts.bytes_written);
    ctx.metrics.add('lines_written', counts.lines_written);
    await ctx.progress({
      stage: 'complete',
      message: `Replaced lines ${first} to ${last} of ${file_path}`,
      progress: 100,
      details: { file_size: bytes.byteLength, lines_written: replacement.length },
    });
    return result;
  },
});

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refused('not_text', `${path} is not UTF-8 text; its lines cannot be replaced.`);
  }
}
