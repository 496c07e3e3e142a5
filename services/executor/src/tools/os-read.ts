import { defineTool } from '@toolstream/tool-kit';
import { z } from 'zod';
import { fileNotFound, refused } from './files/refused.ts';
import { clipped, kindOf, textOf } from './files/text.ts';
import { toLines } from './lines.ts';

const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_LINES = 5000;
const DEFAULT_LINES = 2000;
const MAX_CHARS = 200_000;
const MAX_LINE_CHARS = 4000;

export const osRead = defineTool({
  name: 'os-read',
  description:
    "Read a text file of the app's workspace, whole or a range of lines. Lines count from 1. Long files come in parts: `next_line` of the result says where to go on.",
  input: z.object({
    file_path: z.string().min(1).max(512).describe('Path inside the workspace'),
    first_line: z.number().int().min(1).default(1).describe('First line to read, counted from 1'),
    line_count: z
      .number()
      .int()
      .min(1)
      .max(MAX_LINES)
      .default(DEFAULT_LINES)
      .describe('How many lines to read at most'),
  }),
  idempotent: true,
  isolation: 'thread',
  timeoutMs: 60_000,
  estimatedMs: 150,

  async run(ctx, { file_path, first_line, line_count }) {
    await ctx.progress({ stage: 'reading', message: `Reading ${file_path}` });
    const head = await ctx.workspace.head(file_path);
    if (!head) throw fileNotFound(file_path);
    if (head.file.size > MAX_FILE_BYTES) {
      throw refused(
        'file_too_large',
        `${file_path} has ${head.file.size} bytes; files of up to ${MAX_FILE_BYTES} are read.`,
      );
    }
    const file = await ctx.workspace.read(file_path);
    if (!file) throw fileNotFound(file_path);
    const text = textOf(file.bytes);
    if (text === undefined) {
      throw refused(
        'not_text',
        `${file_path} is not UTF-8 text but a ${kindOf(file.bytes)} of ${file.file.size} bytes.`,
      );
    }
    const { lines } = toLines(text);
    if (first_line > lines.length && !(lines.length === 0 && first_line === 1)) {
      throw refused('line_out_of_range', `${file_path} has ${lines.length} lines; line ${first_line} is not there.`);
    }
    const read: string[] = [];
    let chars = 0;
    for (const line of lines.slice(first_line - 1, first_line - 1 + line_count)) {
      const shown = clipped(line, MAX_LINE_CHARS);
      chars += shown.length + 1;
      if (chars > MAX_CHARS) break;
      read.push(shown);
    }
    const last = first_line - 1 + read.length;
    const result = {
      file_path,
      content: read.join('\n'),
      first_line,
      last_line: last,
      total_lines: lines.length,
      file_size: file.file.size,
      ...(last < lines.length ? { next_line: last + 1 } : {}),
    };
    await ctx.progress({
      stage: 'complete',
      message: `Read ${read.length} of ${lines.length} lines of ${file_path}`,
      progress: 100,
      details: { lines_read: read.length, total_lines: lines.length, file_size: file.file.size },
    });
    return result;
  },
});
