import {
  type ApprovalPolicy,
  type Approvers,
  type Isolation,
  isToken,
  type Json,
  type PausePolicy,
  type RetryPolicy,
  type ToolDefinition,
  toolDefinition as toolDefinitionSchema,
} from '@toolstream/proto-events';
import { z } from 'zod';
import type { ToolContext } from './context.ts';
import { ToolFailure } from './failure.ts';
import { type JsonSchema, schemaCheck } from './json-schema.ts';

/** What every tool says of itself. */
export interface ToolPolicy {
  readonly name: string;
  /** What the model reads to decide whether to call it. */
  readonly description: string;
  /** Does running it twice have the effect of running it once? Only then is a lost attempt run again unasked. */
  readonly idempotent: boolean;
  /** Removes or overwrites what cannot be brought back. */
  readonly destructive?: boolean;
  /**
   * Default: what the executor gives to tools of this one's origin, `thread` to its own and `process` to those that its
   * configuration names. `inline` only for tools that do nothing but await I/O: one that computes starves its executor.
   */
  readonly isolation?: Isolation;
  /** Calls of this tool that one executor runs at once; the others wait in their slots. Default: as many as come. */
  readonly concurrency?: number;
  /** Heap of its thread, or memory of its process. Default: the executor's. An inline tool has no limit of its own. */
  readonly memoryMb?: number;
  /** What a pause of the run does to a running call. `hold` (default): it waits at its next report. `finish`: it goes on. */
  readonly pause?: PausePolicy;
  readonly timeoutMs?: number;
  /** Default: three attempts if idempotent, else one. */
  readonly retries?: Partial<RetryPolicy>;
  /** Default `destructive`: ask a person if the tool is destructive. */
  readonly approval?: ApprovalPolicy;
  /** Who may answer: whoever may control runs (default), only an `admin`, or only these subjects and an `admin`. */
  readonly approvers?: Approvers;
  /** Without an answer for so long, pauses outside, the call is denied. Default: as the orchestrator is configured. */
  readonly approvalTimeoutMs?: number;
  /** Shown until enough runs are known. */
  readonly estimatedMs: number;
}

export interface ToolSpec<S extends z.ZodObject> extends ToolPolicy {
  readonly input: S;
  run(ctx: ToolContext, input: z.output<S>): Promise<unknown> | unknown;
}

/** A tool whose input is described elsewhere, by a server of tools for example. */
export interface JsonToolSpec extends ToolPolicy {
  readonly inputSchema: JsonSchema;
  run(ctx: ToolContext, input: { readonly [key: string]: Json }): Promise<unknown> | unknown;
}

const MARK = Symbol.for('toolstream.tool');

export interface Tool {
  readonly [MARK]: true;
  readonly name: string;
  readonly description: string;
  /** What a caller may send, not what the tool receives after defaults and transforms. */
  inputSchema(): JsonSchema;
  readonly idempotent: boolean;
  readonly destructive: boolean;
  readonly isolation: Isolation | undefined;
  readonly concurrency: number | undefined;
  readonly memoryMb: number | undefined;
  readonly pause: PausePolicy;
  readonly timeoutMs: number;
  readonly retries: RetryPolicy;
  readonly approval: ApprovalPolicy;
  readonly approvers?: Approvers | undefined;
  readonly approvalTimeoutMs?: number | undefined;
  readonly estimatedMs: number;
  /** Parses the arguments, runs the tool and returns its result as JSON. */
  invoke(ctx: ToolContext, args: Json): Promise<Json>;
}

export const isTool = (value: unknown): value is Tool =>
  typeof value === 'object' && value !== null && (value as { [MARK]?: boolean })[MARK] === true;

export function defineTool<S extends z.ZodObject>(spec: ToolSpec<S>): Tool {
  return {
    ...policyOf(spec),
    inputSchema: () => z.toJSONSchema(spec.input, { io: 'input' }) as JsonSchema,
    async invoke(ctx, args) {
      const input = spec.input.safeParse(args);
      if (!input.success) {
        throw new ToolFailure({ code: 'invalid_arguments', message: z.prettifyError(input.error) });
      }
      return asJson(await spec.run(ctx, input.data as z.output<S>));
    },
  };
}

/** Throws if the schema cannot be used, or is none of an object. */
export function defineJsonTool(spec: JsonToolSpec): Tool {
  const check = schemaCheck({ ...spec.inputSchema, type: 'object' }, 'arguments');
  return {
    ...policyOf(spec),
    inputSchema: () => spec.inputSchema,
    async invoke(ctx, args) {
      const problem = check(args);
      if (problem !== undefined) throw new ToolFailure({ code: 'invalid_arguments', message: `${problem}.` });
      return asJson(await spec.run(ctx, args as { [key: string]: Json }));
    },
  };
}

function policyOf(spec: ToolPolicy): Omit<Tool, 'inputSchema' | 'invoke'> {
  if (!isToken(spec.name)) {
    throw new TypeError(`tool name ${JSON.stringify(spec.name)} must be 1 to 64 characters of A-Z a-z 0-9 _ -`);
  }
  return {
    [MARK]: true,
    name: spec.name,
    description: spec.description,
    idempotent: spec.idempotent,
    destructive: spec.destructive ?? false,
    isolation: spec.isolation,
    concurrency: positive(spec.name, 'concurrency', spec.concurrency),
    memoryMb: positive(spec.name, 'memoryMb', spec.memoryMb),
    pause: spec.pause ?? 'hold',
    timeoutMs: spec.timeoutMs ?? 60_000,
    retries: { max_attempts: spec.idempotent ? 3 : 1, initial_ms: 500, factor: 2, max_ms: 30_000, ...spec.retries },
    approval: spec.approval ?? 'destructive',
    approvers: spec.approvers,
    approvalTimeoutMs: spec.approvalTimeoutMs,
    estimatedMs: spec.estimatedMs,
  };
}

function positive(tool: string, field: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value > 0)) return value;
  throw new TypeError(`${field} of the tool ${tool} must be a whole number above 0, not ${value}`);
}

/**
 * What executors announce. Throws if the tool does not fit the catalog: better at start than at the first call.
 * `isolation` is for tools that do not ask for one.
 */
export function toolDefinition(tool: Tool, pool: string, isolation: Isolation = 'thread'): ToolDefinition {
  return toolDefinitionSchema.parse({
    name: tool.name,
    description: tool.description,
    pool,
    input_schema: tool.inputSchema(),
    idempotent: tool.idempotent,
    destructive: tool.destructive,
    isolation: tool.isolation ?? isolation,
    approval: tool.approval,
    approvers: tool.approvers,
    approval_timeout_ms: tool.approvalTimeoutMs,
    timeout_ms: tool.timeoutMs,
    retries: tool.retries,
    estimated_ms: tool.estimatedMs,
    ...(tool.pause === 'hold' ? {} : { pause: tool.pause }),
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
