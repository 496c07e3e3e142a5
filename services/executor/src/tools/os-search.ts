import { defineTool, type ToolContext, type WorkspaceFile } from '@toolstream/tool-kit';
import { z } from 'zod';
import { globTest } from './files/glob.ts';
import { type LineMatcher, lineMatcher } from './files/matcher.ts';
import { reading } from './files/refused.ts';
import { clipped, textOf } from './files/text.ts';
import { folderPrefix, walk } from './files/walk.ts';
import { toLines } from './lines.ts';

const MAX_FILES = 10_000;
const MAX_FILE_BYTES = 2 * 1024 * 1024;
/** Read at once. With the limit above: what a search holds. */
const AT_ONCE = 4;
const MAX_RESULT_CHARS = 100_000;
const MAX_LINE_CHARS = 400;

interface Match {
  readonly file_path: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
  readonly before?: string[];
  readonly after?: string[];
}

export const osSearch = defineTool({
  name: 'os-search',
  description:
    "Search the text files of the app's workspace line by line, for a literal text or, with `regex`, for a regular expression (RE2 syntax: no look-around, no back-references). Gives file, line and column of each match, with lines around it if asked.",
  input: z.object({
    query: z.string().min(1).max(1000).describe('Text or regular expression to look for, within one line'),
    regex: z.boolean().default(false).describe('Is query a regular expression?'),
    ignore_case: z.boolean().default(false),
    folder: z.string().max(512).optional().describe('Only files below this folder'),
    include: z.array(z.string().min(1).max(256)).max(20).optional().describe('Globs: only these files'),
    exclude: z.array(z.string().min(1).max(256)).max(20).optional().describe('Globs: not these files'),
    context_lines: z.number().int().min(0).max(10).default(0).describe('Lines to show before and after each match'),
    max_results: z.number().int().min(1).max(1000).default(100),
  }),
  idempotent: true,
  isolation: 'thread',
  timeoutMs: 60_000,
  estimatedMs: 800,

  async run(ctx, input) {
    const { query, folder, include, exclude, context_lines, max_results } = input;
    const find = reading('query', () => lineMatcher(query, { regex: input.regex, ignoreCase: input.ignore_case }));
    const isIncluded = include ? reading('include', () => globTest(include)) : () => true;
    const isExcluded = exclude ? reading('exclude', () => globTest(exclude)) : () => false;

    await ctx.progress({ stage: 'listing', message: 'Looking for files' });
    const { files, complete } = await candidates(ctx, folderPrefix(folder), (p) => isIncluded(p) && !isExcluded(p));
    const matches: Match[] = [];
    let searched = 0;
    let skipped = 0;
    let room = MAX_RESULT_CHARS;
    let isFull = false;
    for (let at = 0; at < files.length && !isFull; at += AT_ONCE) {
      await ctx.progress({
        stage: 'searching',
        message: `Searching ${files.length} file(s)`,
        progress: Math.floor((at / files.length) * 100),
        details: { files_searched: searched, total_files: files.length, matches_found: matches.length },
      });
      const group = files.slice(at, at + AT_ONCE);
      const texts = await Promise.all(group.map((file) => contentOf(ctx, file)));
      for (const [i, text] of texts.entries()) {
        if (text === undefined) {
          skipped += 1;
          continue;
        }
        searched += 1;
        for (const match of matchesIn(group[i]?.path ?? '', text, find, context_lines)) {
          room -= sizeOf(match);
          isFull = matches.length === max_results || room < 0;
          if (isFull) break;
          matches.push(match);
        }
        if (isFull) break;
      }
    }
    await ctx.progress({
      stage: 'complete',
      message: `${matches.length} match(es) in ${new Set(matches.map(({ file_path }) => file_path)).size} file(s)`,
      progress: 100,
      details: { files_searched: searched, total_files: files.length, matches_found: matches.length },
    });
    return {
      query,
      matches,
      files_searched: searched,
      // Not text, or too large.
      files_skipped: skipped,
      truncated: isFull || !complete,
    };
  },
});

async function candidates(ctx: ToolContext, prefix: string, isWanted: (path: string) => boolean) {
  const files: Pick<WorkspaceFile, 'path' | 'size'>[] = [];
  for await (const { path, size } of walk(ctx, prefix)) {
    if (!isWanted(path)) continue;
    if (files.length === MAX_FILES) return { files, complete: false };
    files.push({ path, size });
  }
  return { files, complete: true };
}

async function contentOf(ctx: ToolContext, { path, size }: Pick<WorkspaceFile, 'path' | 'size'>) {
  if (size > MAX_FILE_BYTES) return undefined;
  const file = await ctx.workspace.read(path);
  return file && file.bytes.byteLength <= MAX_FILE_BYTES ? textOf(file.bytes) : undefined;
}

function* matchesIn(file_path: string, text: string, find: LineMatcher, around: number): Generator<Match> {
  const { lines } = toLines(text);
  const shown = (from: number, to: number) =>
    lines.slice(Math.max(0, from), to).map((line) => clipped(line, MAX_LINE_CHARS));
  for (const [i, line] of lines.entries()) {
    const at = find(line);
    if (at < 0) continue;
    // A match far into a long line is shown from a little before it on.
    const start = line.length <= MAX_LINE_CHARS ? 0 : Math.max(0, at - 100);
    yield {
      file_path,
      line: i + 1,
      column: at + 1,
      text: (start > 0 ? '…' : '') + clipped(line.slice(start), MAX_LINE_CHARS),
      ...(around === 0 ? {} : { before: shown(i - around, i), after: shown(i + 1, i + 1 + around) }),
    };
  }
}

const sizeOf = ({ file_path, text, before = [], after = [] }: Match): number =>
  [file_path, text, ...before, ...after].reduce((sum, part) => sum + part.length + 8, 40);
