import {
  type ApprovalPolicy,
  type Isolation,
  isToken,
  type Json,
  type RetryPolicy,
  type ToolDefinition,
  toolDefinition as toolDefinitionSchema,
} from '@toolstream/proto-events';
import { z } from 'zod';
import type { ToolContext } from './context.ts';
import { ToolFailure } from './failure.ts';

export interface ToolSpec<S extends z.ZodObject> {
  readonly name: string;
  /** What the model reads to decide whether to call it. */
  readonly description: string;
  readonly input: S;
  /** Does running it twice have the effect of running it once? Only then is a lost attempt run again unasked. */
  readonly idempotent: boolean;
  /** Removes or overwrites what cannot be brought back. */
  readonly destructive?: boolean;
  /** Default `thread`. `inline` only for tools that do nothing but await I/O: one that computes starves its executor. */
  readonly isolation?: Isolation;
  readonly timeoutMs?: number;
  /** Default: three attempts if idempotent, else one. */
  readonly retries?: Partial<RetryPolicy>;
  /** Default `destructive`: ask a person if the tool is destructive. */
  readonly approval?: ApprovalPolicy;
  /** Shown until enough runs are known. */
  readonly estimatedMs: number;
  run(ctx: ToolContext, input: z.output<S>): Promise<unknown> | unknown;
}

const MARK = Symbol.for('toolstream.tool');

export interface Tool {
  readonly [MARK]: true;
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodObject;
  readonly idempotent: boolean;
  readonly destructive: boolean;
  readonly isolation: Isolation;
  readonly timeoutMs: number;
  readonly retries: RetryPolicy;
  readonly approval: ApprovalPolicy;
  readonly estimatedMs: number;
  /** Parses the arguments, runs the tool and returns its result as JSON. */
  invoke(ctx: ToolContext, args: Json): Promise<Json>;
}

export const isTool = (value: unknown): value is Tool =>
  typeof value === 'object' && value !== null && (value as { [MARK]?: boolean })[MARK] === true;

export function defineTool<S extends z.ZodObject>(spec: ToolSpec<S>): Tool {
  if (!isToken(spec.name)) {
    throw new TypeError(`tool name ${JSON.stringify(spec.name)} must be 1 to 64 characters of A-Z a-z 0-9 _ -`);
  }
  return {
    [MARK]: true,
    name: spec.name,
    description: spec.description,
    input: spec.input,
    idempotent: spec.idempotent,
    destructive: spec.destructive ?? false,
    isolation: spec.isolation ?? 'thread',
    timeoutMs: spec.timeoutMs ?? 60_000,
    retries: { max_attempts: spec.idempotent ? 3 : 1, initial_ms: 500, factor: 2, max_ms: 30_000, ...spec.retries },
    approval: spec.approval ?? 'destructive',
    estimatedMs: spec.estimatedMs,
    async invoke(ctx, args) {
      const input = spec.input.safeParse(args);
      if (!input.success) {
        throw new ToolFailure({ code: 'invalid_arguments', message: z.prettifyError(input.error) });
      }
      return asJson(await spec.run(ctx, input.data as z.output<S>));
    },
  };
}

/** What executors announce. Throws if the tool does not fit the catalog: better at start than at the first call. */
export function toolDefinition(tool: Tool, pool: string): ToolDefinition {
  return toolDefinitionSchema.parse({
    name: tool.name,
    description: tool.description,
    pool,
    // What a caller may send, not what the tool receives after defaults and transforms.
    input_schema: z.toJSONSchema(tool.input, { io: 'input' }),
    idempotent: tool.idempotent,
    destructive: tool.destructive,
    isolation: tool.isolation,
    approval: tool.approval,
    timeout_ms: tool.timeoutMs,
    retries: tool.retries,
    estimated_ms: tool.estimatedMs,
  });
}

/** A tool that returns nothing returns null; what JSON cannot say is a fault of the tool, named as one. */
function asJson(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null') as Json;
  } catch (cause) {
    throw new ToolFailure({ code: 'tool_error', message: 'The tool returned a value that JSON cannot hold.', cause });
  }
}
