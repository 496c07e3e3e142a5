import type { Tool as ListedTool } from '@modelcontextprotocol/client';
import { defineJsonTool, type JsonSchema, type Tool } from '@toolstream/tool-kit';
import { callMcpTool } from './call.ts';
import { type McpServerConfig, type McpToolPolicy, policyOf } from './config.ts';
import { ANSWER_ARGUMENT } from './elicitation.ts';
import { isMeant, safeNames } from './names.ts';
import type { McpServer } from './server.ts';

const TIMEOUT_MS = 5 * 60_000;
const ESTIMATED_MS = 1_000;
const DESCRIPTION_CHARS = 4096;

export interface ToolsOfServer {
  readonly tools: readonly Tool[];
  /** Tools that are left out, and why. */
  readonly problems: readonly { readonly tool: string; readonly problem: string }[];
}

/**
 * A server's tools as Toolstream's. What the server's annotations say of them is believed only where the configuration says
 * nothing: an unannotated tool is destructive and not idempotent.
 */
export function toolsOf(server: McpServer, config: McpServerConfig, listed: readonly ListedTool[]): ToolsOfServer {
  const { include, exclude, prefix = config.name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 40) } = config;
  const wanted = listed.filter(({ name }) => (!include || isMeant(name, include)) && !isMeant(name, exclude));
  const names = safeNames(
    prefix,
    wanted.map(({ name }) => name),
  );
  const tools: Tool[] = [];
  const problems: { tool: string; problem: string }[] = [];
  for (const tool of wanted) {
    if (tool.execution?.taskSupport === 'required') {
      problems.push({ tool: tool.name, problem: 'it can only be called as an MCP task' });
      continue;
    }
    try {
      tools.push(toTool(server, config, tool, names.get(tool.name) ?? tool.name));
    } catch (error) {
      problems.push({ tool: tool.name, problem: (error as Error).message });
    }
  }
  return { tools, problems };
}

function toTool(server: McpServer, config: McpServerConfig, tool: ListedTool, name: string): Tool {
  const policy: McpToolPolicy = { ...policyOf(config), ...config.tools[tool.name] };
  const hints = tool.annotations ?? {};
  const readOnly = hints.readOnlyHint === true;
  const idempotent = policy.idempotent ?? (readOnly || hints.idempotentHint === true);
  const call = { name: tool.name, idempotent, idleTimeoutMs: policy.idleTimeoutMs };
  return defineJsonTool({
    name,
    description: (tool.description ?? tool.title ?? '').slice(0, DESCRIPTION_CHARS),
    inputSchema: server.asks ? withAnswer(tool.inputSchema as JsonSchema) : (tool.inputSchema as JsonSchema),
    idempotent,
    destructive: policy.destructive ?? (!readOnly && hints.destructiveHint !== false),
    isolation: 'inline',
    // Nothing holds a server: it goes on working whether anybody waits or not.
    pause: 'finish',
    approval: policy.approval ?? 'destructive',
    ...(policy.approvers === undefined ? {} : { approvers: policy.approvers }),
    timeoutMs: policy.timeoutMs ?? TIMEOUT_MS,
    estimatedMs: policy.estimatedMs ?? ESTIMATED_MS,
    run: (ctx, input) => callMcpTool(server, call, ctx, input),
  });
}

/** Where a schema refuses what it does not name, it has to name the argument that an approver answers in. */
function withAnswer(schema: JsonSchema): JsonSchema {
  if (schema.additionalProperties !== false && schema.unevaluatedProperties !== false) return schema;
  const properties = typeof schema.properties === 'object' ? schema.properties : {};
  const description = 'Leave this out. Whoever approves the call puts here what the tool asked for.';
  return { ...schema, properties: { ...properties, [ANSWER_ARGUMENT]: { type: 'object', description } } };
}
