import { isolation, json, retryPolicy, type ToolDefinition } from '@toolstream/proto-events';
import { z } from 'zod';
import { MODEL_TOOL_FORMATS, modelTools } from '../model-tools/model-tools.ts';
import type { Services } from '../services.ts';
import { type AnyRoute, route } from './route.ts';

const toolListing = z.object({
  name: z.string(),
  description: z.string(),
  input_schema: z.record(z.string(), json),
  pool: z.string(),
  idempotent: z.boolean(),
  destructive: z.boolean(),
  approval: z.string(),
  timeout_ms: z.number().int(),
  isolation,
  retries: retryPolicy,
});
/** As a model API takes it; which fields there are depends on the format. */
const modelTool = z.looseObject({ name: z.string().optional(), type: z.literal('function').optional() });

export function toolRoutes({ tools }: Services): AnyRoute[] {
  return [
    route({
      method: 'GET',
      url: '/v1/tools',
      tag: 'tools',
      summary: 'Every tool that executors announced; with a format, ready to be a model’s `tools` parameter',
      scope: 'any',
      query: z.object({ format: z.enum(['native', ...MODEL_TOOL_FORMATS]).default('native') }),
      answers: {
        200: {
          description: 'By name',
          schema: z.object({ tools: z.union([z.array(toolListing), z.array(modelTool)]) }),
        },
      },
      handle: ({ query: { format } }) => ({
        tools: format === 'native' ? tools.list().map(listing) : modelTools(tools.list(), format),
      }),
    }),
  ];
}

const listing = (tool: ToolDefinition): z.infer<typeof toolListing> => {
  const { name, description, input_schema, pool, idempotent, destructive, approval, timeout_ms, isolation, retries } =
    tool;
  return { name, description, input_schema, pool, idempotent, destructive, approval, timeout_ms, isolation, retries };
};
