import { type Logger, within } from '@toolstream/service-kit';
import type { Tool } from '@toolstream/tool-kit';
import type { McpServerConfig } from './config.ts';
import { McpServer } from './server.ts';
import { toolsOf } from './tools.ts';

export interface McpServersOptions {
  readonly servers: readonly McpServerConfig[];
  readonly logger: Logger;
  /** The tools of one server, all of them, each time that they are listed. */
  onTools(server: string, tools: readonly Tool[]): void;
}

/** How long a start waits for servers before the executor goes on without them. */
const START_WAIT_MS = 10_000;

/** The configured servers, and what is amiss with them. */
export class McpServers {
  readonly #servers: readonly McpServer[];

  constructor({ servers, logger, onTools }: McpServersOptions) {
    this.#servers = servers.map((config) => {
      const log = logger.child({ mcp: config.name });
      const server: McpServer = new McpServer({
        config,
        logger: log,
        onTools: (listed) => {
          const { tools, problems } = toolsOf(server, config, listed);
          for (const { tool, problem } of problems) log.warn({ tool, problem }, 'a tool of an MCP server is left out');
          onTools(config.name, tools);
        },
      });
      return server;
    });
  }

  /** Resolves when every server is up, or has failed once, or takes too long: it then comes when it comes. */
  async start(): Promise<void> {
    for (const server of this.#servers) server.start();
    await within(START_WAIT_MS, Promise.all(this.#servers.map((server) => server.tried)));
  }

  /** By server: `up`, or why not. */
  get states(): { [server: string]: string } {
    return Object.fromEntries(this.#servers.map((server) => [server.name, server.problem ?? 'up']));
  }

  /** Process of a server over stdio that is up. */
  pidOf(name: string): number | undefined {
    return this.#servers.find((server) => server.name === name)?.pid;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
  }
}
