import { isDeepStrictEqual } from 'node:util';
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/client';
import type { Json } from '@toolstream/proto-events';
import type { ToolArtifacts } from '@toolstream/tool-kit';

/** Data of this many characters of base64 stay in the result; more goes to an artifact. */
const INLINE_DATA_CHARS = 4096;

/**
 * What a call gave, as short as it can be said: the text of a result that is only text, the structured content where the
 * text merely repeats it, else `{text?, structured?, content?}`. Images, sounds and files of some size are artifacts.
 */
export async function resultOf(result: CallToolResult, artifacts: Pick<ToolArtifacts, 'put'>): Promise<Json> {
  const structured = result.structuredContent as Json | undefined;
  const text = textOf(result);
  const others = result.content.filter(({ type }) => type !== 'text');
  if (others.length === 0) {
    if (structured === undefined) return text ?? null;
    if (text === undefined || repeats(text, structured)) return structured;
  }
  return {
    ...(text === undefined ? {} : { text }),
    ...(structured === undefined ? {} : { structured }),
    ...(others.length === 0 ? {} : { content: await Promise.all(others.map((block) => blockOf(block, artifacts))) }),
  };
}

/** All text of a result; `undefined` when there is none. */
export function textOf({ content }: CallToolResult): string | undefined {
  const texts = content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  return texts.length === 0 ? undefined : texts.join('\n');
}

function repeats(text: string, structured: Json): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(text), structured);
  } catch {
    return false;
  }
}

async function blockOf(block: ContentBlock, artifacts: Pick<ToolArtifacts, 'put'>): Promise<Json> {
  switch (block.type) {
    case 'image':
    case 'audio': {
      const { type, mimeType, data } = block;
      return { type, mimeType, ...(await dataOf(data, mimeType, artifacts)) };
    }
    case 'resource': {
      const { resource } = block;
      if (!('blob' in resource)) return { type: 'resource', resource: plain(resource) };
      const { blob, ...rest } = resource;
      const kept = await dataOf(blob as string, resource.mimeType, artifacts);
      return { type: 'resource', resource: { ...(plain(rest) as object), ...kept } };
    }
    default:
      return plain(block);
  }
}

async function dataOf(
  data: string,
  contentType: string | undefined,
  artifacts: Pick<ToolArtifacts, 'put'>,
): Promise<{ [key: string]: Json }> {
  if (data.length <= INLINE_DATA_CHARS) return { data };
  const artifact = await artifacts.put(Buffer.from(data, 'base64'), { contentType });
  return { artifact: plain(artifact) };
}

const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;
