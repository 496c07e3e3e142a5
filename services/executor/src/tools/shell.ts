import { delimiter, isAbsolute, join } from 'node:path';
import type { Readable } from 'node:stream';
import { defineTool, type ToolContext, ToolFailure } from '@toolstream/tool-kit';
import { z } from 'zod';
import { countLines } from './analysis/file-analysis.ts';
import { refused } from './files/refused.ts';
import { clipped, textOf } from './files/text.ts';
import { toolSettings } from './settings.ts';
import { allowedPrograms, checkCommand, wordsOf } from './shell/command-line.ts';
import { GuardedProcess } from './shell/guarded-process.ts';
import { WorkFolder } from './shell/work-folder.ts';

const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;
const TAIL_CHARS = 8_000;
const GRACE_MS = 1_500;

export const shell = defineTool({
  name: 'shell',
  description:
    'Run one allowed program, without a shell, in a fresh folder that holds only the workspace files named in `files`. Of these, changed and new ones are saved back when it has ended, whatever its exit code. Gives exit code and the end of its output.',
  input: z.object({
    command: z
      .union([z.string().min(1).max(8000), z.array(z.string().max(8000)).min(1).max(256)])
      .describe('Program and arguments: a list, or one line without pipes, redirections and variables'),
    files: z
      .array(z.string().min(1).max(512))
      .max(200)
      .default([])
      .describe(
        'Workspace files to copy in and to save back; those that do not exist yet are saved if the program makes them',
      ),
    timeout_seconds: z.number().int().min(1).max(600).default(60),
  }),
  // Nobody knows what a program does beyond the files that it is given.
  idempotent: false,
  destructive: true,
  isolation: 'process',
  timeoutMs: 660_000,
  estimatedMs: 3000,

  async run(ctx, { command, files, timeout_seconds }) {
    const words = wordsOf(command);
    checkCommand(words, allowedPrograms(toolSettings().TOOLSTREAM_SHELL_ALLOW));
    const [program = '', ...args] = words;
    await ctx.progress({
      stage: 'preparing',
      message: `Copying ${files.length} file(s)`,
      details: { files: files.length },
    });
    const folder = await WorkFolder.make(ctx, files);
    try {
      await ctx.progress({
        stage: 'running',
        message: clipped(`Running ${words.join(' ')}`, 300),
        details: { program },
      });
      const ran = await run(ctx, { program, args, cwd: folder.work, env: environment(folder) }, timeout_seconds);
      const { changed, missing } = await folder.changed();
      const written: string[] = [];
      for (const [i, { path, bytes, expectedRevision }] of changed.entries()) {
        await ctx.progress({
          stage: 'saving',
          message: `Saving ${path}`,
          progress: Math.floor((i / changed.length) * 100),
          details: { files_saved: i, total_files: changed.length },
        });
        await ctx.workspace.write(path, bytes, { expectedRevision });
        written.push(path);
        ctx.metrics.add('bytes_written', bytes.byteLength);
        if (expectedRevision === 0) ctx.metrics.add('files_created', 1);
        const text = textOf(bytes);
        if (text !== undefined) ctx.metrics.add('lines_written', countLines(text));
      }
      await ctx.progress({
        stage: 'complete',
        message: `${program} ended with ${ran.exit_code === null ? ran.signal : `exit code ${ran.exit_code}`}`,
        progress: 100,
        details: { exit_code: ran.exit_code, files_saved: written.length },
      });
      return { ...ran, files_saved: written, ...(missing.length === 0 ? {} : { files_deleted_but_kept: missing }) };
    } finally {
      await folder.remove();
    }
  },
});

type Running = ConstructorParameters<typeof GuardedProcess>[0];

async function run(ctx: ToolContext, command: Running, seconds: number) {
  const child = new GuardedProcess(command);
  const ends = { stdout: '', stderr: '' };
  let why: ToolFailure | undefined;
  let bytes = 0;
  const stop = (failure?: ToolFailure) => {
    why ??= failure;
    void child.stop(GRACE_MS);
  };
  const timer = setTimeout(
    () => stop(refused('time_limit', `${command.program} ran longer than ${seconds} s and was ended.`)),
    seconds * 1000,
  );
  const aborted = () => stop();
  ctx.signal.addEventListener('abort', aborted, { once: true });
  if (ctx.signal.aborted) aborted();

  const follow = async (channel: 'stdout' | 'stderr', stream: Readable) => {
    const decoder = new TextDecoder();
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      bytes += piece.byteLength;
      if (bytes > MAX_OUTPUT_BYTES) {
        stop(refused('output_limit', `${command.program} wrote more than ${MAX_OUTPUT_BYTES} bytes and was ended.`));
        continue;
      }
      const text = decoder.decode(piece, { stream: true });
      ends[channel] = (ends[channel] + text).slice(-TAIL_CHARS);
      // Reading stops while there is no room: the program waits, nothing piles up.
      if (!ctx.signal.aborted) await ctx.output(channel, text).catch(() => {});
    }
  };
  try {
    const [exit] = await Promise.all([child.exit, follow('stdout', child.stdout), follow('stderr', child.stderr)]);
    ctx.signal.throwIfAborted();
    if (why) throw new ToolFailure({ code: why.code, message: why.message, details: { ...ends } });
    if ('error' in exit)
      throw refused('program_not_started', `${command.program} could not be started: ${exit.error}.`);
    return { exit_code: exit.code, signal: exit.signal, ...ends };
  } finally {
    clearTimeout(timer);
    ctx.signal.removeEventListener('abort', aborted);
  }
}

/** Nothing of the executor's own: no keys, no addresses. And no folder on PATH that a workspace file could be in. */
function environment({ root }: WorkFolder): Running['env'] {
  const path = (process.env.PATH ?? '').split(delimiter).filter(isAbsolute).join(delimiter);
  const home = join(root, 'home');
  return { PATH: path, HOME: home, TMPDIR: join(root, 'tmp'), LANG: 'C.UTF-8', TERM: 'dumb', CI: '1' };
}
