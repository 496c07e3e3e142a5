import { json } from '@toolstream/proto-events';
import { z } from 'zod';
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
});

export function toolRoutes({ tools }: Services): AnyRoute[] {
  return [
    route({
      method: 'GET',
      url: '/v1/tools',
      tag: 'tools',
      summary: 'Every tool that executors announced',
      scope: 'any',
      answers: { 200: { description: 'By name', schema: z.object({ tools: z.array(toolListing) }) } },
      handle: () => ({
        tools: tools
          .list()
          .map(({ name, description, input_schema, pool, idempotent, destructive, approval, timeout_ms }) => ({
            name,
            description,
            input_schema,
            pool,
            idempotent,
            destructive,
            approval,
            timeout_ms,
          })),
      }),
    }),
  ];
}
