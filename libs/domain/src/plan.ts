import {
  type Json,
  MAX_CALLS,
  type PlannedTool,
  type Priority,
  type RequestedCall,
  type RunPlan,
  type ToolDefinition,
  type ToolError,
  type ToolEstimate,
} from '@toolstream/proto-events';
import { estimatedDuration } from './estimate.ts';
import { findCycle } from './graph.ts';
import type { Rejection } from './types.ts';

export interface PlanRequest {
  readonly mode: 'sequential' | 'parallel';
  readonly priority: Priority;
  readonly message_id?: string | undefined;
  readonly calls: readonly RequestedCall[];
  readonly request_hash: string;
  readonly rerun_of?: string | undefined;
  readonly timeout_ms: number;
  readonly max_age_ms: number;
  /** For tools that name none of their own. Absent: their approvals do not expire. */
  readonly approval_timeout_ms?: number | undefined;
}

/** What is known of the tools at the time of acceptance. */
export interface Catalog {
  find(name: string): ToolDefinition | undefined;
  estimate(name: string): ToolEstimate | undefined;
  /** Why the arguments do not fit the tool's schema, or `undefined` when they do. */
  validate(definition: ToolDefinition, args: Json): string | undefined;
}

export type Planned = { ok: true; plan: RunPlan } | { ok: false; rejection: Rejection };

const refuse = (code: Rejection['code'], message: string): Planned => ({ ok: false, rejection: { code, message } });

/**
 * Freezes a request into the plan that the log keeps. What concerns the run as a whole refuses it (duplicate ids, a
 * cycle, too many calls); what concerns one call (an unknown tool, arguments that do not fit) is written into that call.
 */
export function planRun(request: PlanRequest, catalog: Catalog): Planned {
  const { calls } = request;
  if (calls.length > MAX_CALLS) {
    return refuse('too_many_calls', `A run holds at most ${MAX_CALLS} tool calls; this one has ${calls.length}.`);
  }
  const indexOf = new Map<string, number>();
  for (const [index, call] of calls.entries()) {
    if (indexOf.has(call.call_id)) {
      return refuse('duplicate_call_id', `The call id ${JSON.stringify(call.call_id)} occurs more than once.`);
    }
    indexOf.set(call.call_id, index);
  }
  const tools: PlannedTool[] = [];
  for (const [index, call] of calls.entries()) {
    const depends_on: number[] = [];
    for (const id of new Set(call.depends_on)) {
      const dependency = indexOf.get(id);
      if (dependency === undefined) {
        return refuse(
          'invalid',
          `tool_calls[${index}].depends_on names ${JSON.stringify(id)}, which is no call of this run.`,
        );
      }
      depends_on.push(dependency);
    }
    tools.push(plannedTool(call, index, depends_on, catalog, request.approval_timeout_ms));
  }
  const cycle = findCycle(tools);
  if (cycle) {
    const ids = [...cycle, cycle[0]!].map((index) => calls[index]!.call_id);
    return refuse('dependency_cycle', `These calls wait for each other: ${ids.join(' → ')}.`);
  }
  const ordering = tools.some((tool) => tool.depends_on.length > 0) ? 'graph' : request.mode;
  const { priority, message_id, timeout_ms, max_age_ms, request_hash, rerun_of } = request;
  return { ok: true, plan: { ordering, priority, message_id, timeout_ms, max_age_ms, tools, request_hash, rerun_of } };
}

function plannedTool(
  call: RequestedCall,
  index: number,
  depends_on: number[],
  catalog: Catalog,
  approvalTimeoutMs: number | undefined,
): PlannedTool {
  const { call_id, name } = call;
  const definition = catalog.find(name);
  if (!definition) {
    const message = `No executor serves a tool named ${JSON.stringify(name)}; GET /v1/tools lists those that are served.`;
    return {
      ...UNSERVED,
      index,
      call_id,
      name,
      arguments: call.arguments,
      depends_on,
      rejection: { code: 'unknown_tool', message },
    };
  }
  const rejection = argumentProblem(call, definition, catalog);
  const { approvers, pause, approval_timeout_ms = approvalTimeoutMs } = definition;
  return {
    index,
    call_id,
    name,
    description: definition.description,
    pool: definition.pool,
    arguments: call.arguments,
    depends_on,
    timeout_ms: call.timeout_ms ?? definition.timeout_ms,
    retries: definition.retries,
    idempotent: definition.idempotent,
    isolation: definition.isolation,
    approval_policy: definition.approval,
    destructive: definition.destructive,
    ...(approvers === undefined ? {} : { approvers }),
    ...(approval_timeout_ms === undefined ? {} : { approval_timeout_ms }),
    ...(pause === undefined ? {} : { pause }),
    estimated_duration_ms: estimatedDuration(definition, catalog.estimate(name)),
    ...(rejection ? { rejection } : {}),
  };
}

function argumentProblem(call: RequestedCall, definition: ToolDefinition, catalog: Catalog): ToolError | undefined {
  const problem = call.parse_error
    ? `The arguments are no JSON: ${call.parse_error}.`
    : catalog.validate(definition, call.arguments);
  return problem === undefined ? undefined : { code: 'invalid_arguments', message: problem };
}

/** What the plan says of a tool that nobody serves; it fails when its turn comes and is never dispatched. */
const UNSERVED = {
  description: '',
  pool: 'none',
  timeout_ms: 1,
  retries: { max_attempts: 1, initial_ms: 0, factor: 1, max_ms: 0 },
  idempotent: true,
  isolation: 'inline',
  approval_policy: 'never',
  destructive: false,
  estimated_duration_ms: 0,
} as const;
