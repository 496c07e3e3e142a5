import { readFileSync } from 'node:fs';
import { approvalPolicy, approvers } from '@toolstream/proto-events';
import { z } from 'zod';
import { type Env, expand } from './expand.ts';

const ms = z.number().int().min(1).max(2_147_483_647);
const texts = z.array(z.string()).max(256);

/** What is known better here than the server's hints say. */
const toolPolicy = {
  /** Default `destructive`. */
  approval: approvalPolicy.optional(),
  approvers: approvers.optional(),
  /** For one attempt, all of it. Default 5 minutes. */
  timeoutMs: ms.optional(),
  /** Without a word from the server for so long, a call fails. Default: none but the timeout. */
  idleTimeoutMs: ms.optional(),
  /** Default: what the server's annotations claim. */
  idempotent: z.boolean().optional(),
  destructive: z.boolean().optional(),
  estimatedMs: z.number().int().min(0).optional(),
};
const overrides = z.strictObject(toolPolicy);
export type McpToolPolicy = z.infer<typeof overrides>;

/** What a server's own entry says for all of its tools. */
export const policyOf = (config: McpServerConfig): McpToolPolicy => z.object(toolPolicy).parse(config);

const common = {
  ...toolPolicy,
  /** Of the tools' names: `<prefix>_<tool>`. Empty: the tool's name alone. Default: the server's. */
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_-]{0,40}$/, 'must be at most 40 characters of A-Z a-z 0-9 _ -')
    .optional(),
  /** Names of tools as the server has them; `*` stands for any characters. */
  include: texts.optional(),
  exclude: texts.default([]),
  /** For single tools, named as the server has them. */
  tools: z.record(z.string(), overrides).default({}),
  /** Folders, as paths or `file:` addresses, that the server is told of. */
  roots: texts.default([]),
  /** `approval`: what the server asks during a call is put to a person. */
  elicitation: z.enum(['decline', 'approval']).default('decline'),
  /** To be up and have listed its tools; a package runner may have to download it first. */
  connectTimeoutMs: ms.default(60_000),
  disabled: z.boolean().default(false),
};

const stdio = z.strictObject({
  type: z.literal('stdio').optional(),
  command: z.string().min(1),
  args: texts.default([]),
  env: z.record(z.string(), z.string()).default({}),
  cwd: z.string().optional(),
  ...common,
});
const http = z.strictObject({
  type: z.enum(['http', 'streamable-http', 'streamableHttp']).optional(),
  url: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }),
  headers: z.record(z.string(), z.string()).default({}),
  ...common,
});

type Named<T> = T & { readonly name: string };
export type McpStdioConfig = Named<z.infer<typeof stdio>>;
export type McpHttpConfig = Named<z.infer<typeof http>>;
export type McpServerConfig = McpStdioConfig | McpHttpConfig;

const file = z.strictObject({ mcpServers: z.record(z.string().min(1).max(64), z.unknown()) });

export interface McpProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export interface McpSource {
  readonly env: Env;
  readFile(path: string): string;
}

const machine: McpSource = { env: process.env, readFile: (path) => readFileSync(path, 'utf8') };

/** The servers of a configuration, which is JSON or the path of a file of it, or everything that is wrong with it. */
export function readMcpServers(
  text: string,
  { env, readFile }: McpSource = machine,
): { servers: McpServerConfig[]; problems: McpProblem[] } {
  const none = (message: string) => ({ servers: [], problems: [{ path: [], message }] });
  if (text.trim() === '') return { servers: [], problems: [] };
  let value: unknown;
  try {
    value = JSON.parse(text.trimStart().startsWith('{') ? text : readFile(text.trim()));
  } catch (error) {
    return none(`must be JSON, or the path of a JSON file: ${(error as Error).message}`);
  }
  const outer = file.safeParse(value);
  if (!outer.success) return { servers: [], problems: outer.error.issues.map(toProblem([])) };
  const servers: McpServerConfig[] = [];
  const problems: McpProblem[] = [];
  for (const [name, given] of Object.entries(outer.data.mcpServers)) {
    const path = ['mcpServers', name];
    const expanded = expand(given, env, (variable) =>
      problems.push({ path, message: `the variable ${variable} that it refers to is not set` }),
    );
    const kind = kindOf(expanded);
    if (typeof kind === 'string') problems.push({ path, message: kind });
    else {
      const parsed = kind.safeParse(expanded);
      if (parsed.success) servers.push({ name, ...parsed.data });
      else problems.push(...parsed.error.issues.map(toProblem(path)));
    }
  }
  return { servers: servers.filter(({ disabled }) => !disabled), problems };
}

/** The variable `TOOLSTREAM_MCP` as the service's configuration reads it. */
export const mcpVariable = z
  .string()
  .default('')
  .transform((text, ctx): McpServerConfig[] => {
    const { servers, problems } = readMcpServers(text);
    for (const { path, message } of problems) ctx.addIssue({ code: 'custom', path: [...path], message });
    return servers;
  });

/** Decided by what is there, so that problems are those of one kind and not of each. */
function kindOf(given: unknown): typeof stdio | typeof http | string {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return 'must be an object';
  const [command, url] = ['command' in given, 'url' in given];
  if (command && url) return 'has a command and a url; give one of them';
  if (!command && !url) return 'needs a command (stdio) or a url (streamable HTTP)';
  return command ? stdio : http;
}

const toProblem =
  (before: readonly string[]) =>
  ({ path, message }: { path: PropertyKey[]; message: string }): McpProblem => ({
    path: [...before, ...path.map((part) => (typeof part === 'symbol' ? String(part) : part))],
    message,
  });
