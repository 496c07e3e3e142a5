import type { Json, ToolDefinition } from '@toolstream/proto-events';
import { commonSchema } from './common-schema.ts';

export const MODEL_TOOL_FORMATS = ['openai', 'openai-responses', 'anthropic'] as const;
export type ModelToolFormat = (typeof MODEL_TOOL_FORMATS)[number];

/** What OpenAI's API takes; the others take more. */
const DESCRIPTION_CHARS = 1024;

/**
 * The tools as a model API wants them in its `tools` parameter. A tool that several pools serve is one tool to a model.
 * `strict` is said to be off: it asks for schemas without optional fields, which tools have.
 */
export function modelTools(definitions: readonly ToolDefinition[], format: ModelToolFormat): Json[] {
  const byName = new Map<string, ToolDefinition>();
  for (const definition of definitions) if (!byName.has(definition.name)) byName.set(definition.name, definition);
  return [...byName.values()].map((definition) => modelTool(definition, format));
}

function modelTool({ name, description, input_schema }: ToolDefinition, format: ModelToolFormat): Json {
  const parameters = commonSchema(input_schema);
  switch (format) {
    case 'openai':
      return { type: 'function', function: { name, description: clipped(description), parameters, strict: false } };
    case 'openai-responses':
      return { type: 'function', name, description: clipped(description), parameters, strict: false };
    case 'anthropic':
      return { name, description, input_schema: parameters };
  }
}

const clipped = (text: string): string =>
  text.length <= DESCRIPTION_CHARS ? text : `${text.slice(0, DESCRIPTION_CHARS - 1).toWellFormed()}…`;
