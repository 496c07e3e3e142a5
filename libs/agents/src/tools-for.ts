import { type Client, type ModelToolFormat, ToolstreamError } from '@toolstream/client';

type JsonSchema = { [key: string]: unknown };

/** A tool as the model's API takes it in its `tools`. */
export interface ToolOf {
  readonly openai: {
    type: 'function';
    function: { name: string; description: string; parameters: JsonSchema; strict: false };
  };
  readonly 'openai-responses': {
    type: 'function';
    name: string;
    description: string;
    parameters: JsonSchema;
    strict: false;
  };
  readonly anthropic: { name: string; description: string; input_schema: { type: 'object'; [key: string]: unknown } };
}

/** Which tools the model is to have: their names, or what decides on each. Default: all. */
export type ToolChoice = readonly string[] | ((name: string) => boolean);

/**
 * The `tools` parameter for the model's API: every tool that executors serve, or those that are chosen. A name that nobody
 * serves is an error here, rather than a tool that the model silently lacks.
 */
export async function toolsFor<F extends ModelToolFormat>(
  client: Pick<Client, 'modelTools'>,
  format: F,
  choose?: ToolChoice,
): Promise<ToolOf[F][]> {
  const { tools } = await client.modelTools(format);
  return chosen(
    tools as unknown as ToolOf[F][],
    (tool) => ('function' in tool ? tool.function.name : tool.name),
    choose,
  );
}

export function chosen<T>(tools: readonly T[], nameOf: (tool: T) => string, choose: ToolChoice | undefined): T[] {
  if (choose === undefined) return [...tools];
  if (typeof choose === 'function') return tools.filter((tool) => choose(nameOf(tool)));
  const byName = new Map(tools.map((tool) => [nameOf(tool), tool]));
  return choose.map((name) => {
    const tool = byName.get(name);
    if (tool !== undefined) return tool;
    throw new ToolstreamError(
      'unknown_tool',
      `No executor serves a tool named ${name}; there are ${[...byName.keys()].join(', ') || 'none'}.`,
    );
  });
}
