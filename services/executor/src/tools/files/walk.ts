import type { ToolContext, WorkspaceFile } from '@toolstream/tool-kit';

const PAGE = 1000;

/** All files below a prefix in the order of their paths, page by page: memory is one page. */
export async function* walk(ctx: ToolContext, prefix: string, after?: string): AsyncGenerator<WorkspaceFile> {
  let last = after;
  for (;;) {
    ctx.signal.throwIfAborted();
    const page = await ctx.workspace.list(prefix, { limit: PAGE, ...(last === undefined ? {} : { after: last }) });
    yield* page;
    last = page.at(-1)?.path;
    if (page.length < PAGE || last === undefined) return;
  }
}

/** `src` and `/src/` mean the folder, and nothing else that merely starts like it. */
export function folderPrefix(folder: string | undefined): string {
  const plain = (folder ?? '').replace(/^(\.?\/)+/, '').replace(/\/+$/, '');
  return plain === '' || plain === '.' ? '' : `${plain}/`;
}
