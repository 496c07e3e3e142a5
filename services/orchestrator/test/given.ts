import type { SubmitRun, ToolDefinition } from '@toolstream/proto-events';

export const TENANT = 'acme';
export const APP = 'shop';

export const tool = (name: string, over: Partial<ToolDefinition> = {}): ToolDefinition => ({
  name,
  description: `Does ${name}`,
  pool: 'default',
  input_schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: { path: { type: 'string' } },
    additionalProperties: false,
  },
  idempotent: true,
  destructive: false,
  isolation: 'inline',
  approval: 'never',
  timeout_ms: 60_000,
  retries: { max_attempts: 3, initial_ms: 200, factor: 2, max_ms: 1_000 },
  estimated_ms: 100,
  ...over,
});

type Call = SubmitRun['calls'][number];

export const calls = (count: number, name = 'write', over: Partial<Call> = {}): Call[] =>
  Array.from({ length: count }, (_, i) => ({
    call_id: `call_${i}`,
    name,
    arguments: { path: `f${i}` },
    depends_on: [],
    ...over,
  }));

/** The run's events that end it: there must be exactly one. */
export const endsOf = (types: readonly string[]): string[] =>
  types.filter((type) => ['run.succeeded.v1', 'run.failed.v1', 'run.cancelled.v1'].includes(type));
