import { defineTool } from '@toolstream/tool-kit';
import { z } from 'zod';
import { analyseFile } from './analysis/analyse.ts';
import { countLines } from './analysis/file-analysis.ts';
import { earlierResult, fingerprint, writeRecord } from './own-write.ts';

/** Imports and components that a result lists, by number and by size; what is only counted is counted exactly. */
const LISTED = 100;
const LISTED_CHARS = 3000;

export const osWrite = defineTool({
  name: 'os-write',
  description:
    "Write a file of the app's workspace: creates it with its folders, or replaces its whole content. Reports the imports and components that the content defines, and syntax problems as warnings.",
  input: z.object({
    file_path: z.string().min(1).max(512).describe('Path inside the workspace, for example src/App.tsx'),
    content: z.string().describe('The complete content of the file'),
  }),
  idempotent: true,
  isolation: 'thread',
  timeoutMs: 60_000,
  estimatedMs: 500,

  async run(ctx, { file_path, content }) {
    const asked = fingerprint({ file_path, content });
    // Read before anything else: what another call writes from here on makes this attempt fail instead of being lost.
    const head = await ctx.workspace.head(file_path);
    const earlier = earlierResult(ctx, head, asked);
    if (earlier !== undefined) return earlier;

    await ctx.progress({ stage: 'analyzing', message: `Analyzing ${file_path}` });
    const bytes = new TextEncoder().encode(content);
    const lines = countLines(content);
    const { language, imports, components, problems } = analyseFile(file_path, content);

    // A syntax problem is reported and does not refuse the write: files are written in steps, and comments in a .json
    // or a template in a .js are some frameworks' normal way.
    await ctx.progress({
      stage: 'validating',
      message: problems.length === 0 ? `Validated as ${language}` : `${problems.length} problem(s) as ${language}`,
      details: {
        file_size: bytes.byteLength,
        line_count: lines,
        imports_detected: imports.length,
        ...(problems.length === 0 ? {} : { warnings: problems }),
      },
    });

    const created = head === undefined;
    const result = {
      file_path,
      file_size: bytes.byteLength,
      lines_written: lines,
      created,
      imports: listed(imports),
      components: listed(components),
      ...(problems.length === 0 ? {} : { warnings: problems }),
    };
    const counts = { bytes_written: bytes.byteLength, files_created: created ? 1 : 0, lines_written: lines };
    const writing = (written: number) =>
      ctx.progress({
        stage: 'writing',
        message: `Writing ${file_path}`,
        ...(bytes.byteLength === 0 ? {} : { progress: Math.floor((written / bytes.byteLength) * 100) }),
        details: { bytes_written: written, total_bytes: bytes.byteLength },
      });
    await writing(0);
    await ctx.workspace.write(file_path, bytes, {
      expectedRevision: head?.revision ?? 0,
      meta: writeRecord(asked, result, counts),
      onBytes: (written) => void writing(written),
    });
    for (const [name, amount] of Object.entries(counts)) ctx.metrics.add(name as keyof typeof counts, amount);

    await ctx.progress({
      stage: 'complete',
      message: `File ${file_path} ${created ? 'created' : 'replaced'}`,
      progress: 100,
      details: {
        file_size: bytes.byteLength,
        lines_written: lines,
        components_detected: listed(components),
      },
    });
    return result;
  },
});

function listed(names: readonly string[]): string[] {
  let room = LISTED_CHARS;
  return names.slice(0, LISTED).filter((name) => {
    room -= name.length;
    return room >= 0;
  });
}
