import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from '@toolstream/service-kit';
import { type Tool, toolDefinition } from '@toolstream/tool-kit';
import type { LoadedTool } from '../isolation/runner.ts';
import { announceTools, withdrawTools } from './announce.ts';

export interface ServedToolsOptions {
  readonly nc: NatsConnection;
  readonly pool: string;
  readonly logger: Logger;
}

const AGAIN_MS = 1_000;
/** A source that begins anew may list its tools in steps: what is missing for so long is gone. */
const GONE_AFTER_MS = 5_000;

/**
 * The tools that this executor serves: those it started with, and those of sources whose tools change while it runs. The
 * catalog hears of every change, sooner or later; whoever looks a tool up here finds it at once.
 */
export class ServedTools {
  readonly tools: Map<string, LoadedTool>;
  readonly #options: ServedToolsOptions;
  readonly #sources = new Map<string, Set<string>>();
  readonly #leaving = new Map<string, NodeJS.Timeout>();
  readonly #announced = new Map<string, string>();
  #announcing: Promise<void> | undefined;
  #withdrawn = new Set<string>();
  #stopped = false;

  constructor(tools: ReadonlyMap<string, LoadedTool>, options: ServedToolsOptions) {
    this.tools = new Map(tools);
    this.#options = options;
  }

  /** These are all tools of a source now. A name that is taken by another source stays the other's. */
  replace(source: string, tools: readonly Tool[]): void {
    const own = this.#sources.get(source) ?? new Set();
    this.#sources.set(source, own);
    for (const tool of tools) {
      if (this.tools.has(tool.name) && !own.has(tool.name)) {
        this.#options.logger.error({ tool: tool.name, source }, 'a tool is left out: its name is taken');
        continue;
      }
      const problem = this.#misfit(tool);
      if (problem) {
        this.#options.logger.error(
          { tool: tool.name, source, problem },
          'a tool is left out: the catalog does not take it',
        );
        continue;
      }
      own.add(tool.name);
      this.#stay(tool.name);
      this.tools.set(tool.name, { tool, module: `${source}:`, defaultIsolation: 'inline' });
    }
    const listed = new Set(tools.map(({ name }) => name));
    for (const name of own) if (!listed.has(name)) this.#leave(source, name);
    void this.announce();
  }

  /** Resolves when the catalog has all of them. While that cannot be reached it is tried again. */
  announce(): Promise<void> {
    this.#announcing ??= this.#announce().finally(() => (this.#announcing = undefined));
    return this.#announcing;
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#leaving.values()) clearTimeout(timer);
  }

  async #announce(): Promise<void> {
    const { nc, pool, logger } = this.#options;
    while (!this.#stopped && !nc.isClosed()) {
      const changed = this.#changed();
      const gone = [...this.#withdrawn];
      if (changed.size === 0 && gone.length === 0) return;
      try {
        await announceTools(
          nc,
          [...changed.values()].map(({ definition }) => definition),
        );
        for (const [name, { text }] of changed) this.#announced.set(name, text);
        await withdrawTools(
          nc,
          pool,
          gone.filter((name) => !this.tools.has(name)),
        );
        for (const name of gone) this.#withdrawn.delete(name);
      } catch (error) {
        logger.warn({ error }, 'the tools could not be announced: trying again');
        await sleep(AGAIN_MS, undefined, { ref: false });
      }
    }
  }

  #changed() {
    const { pool } = this.#options;
    const definitions = [...this.tools].map(([name, { tool, defaultIsolation }]) => {
      const definition = toolDefinition(tool, pool, defaultIsolation);
      return [name, { definition, text: JSON.stringify(definition) }] as const;
    });
    return new Map(definitions.filter(([name, { text }]) => this.#announced.get(name) !== text));
  }

  #misfit(tool: Tool): string | undefined {
    try {
      toolDefinition(tool, this.#options.pool, 'inline');
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  #leave(source: string, name: string): void {
    if (this.#leaving.has(name)) return;
    const gone = () => {
      this.#leaving.delete(name);
      this.#sources.get(source)?.delete(name);
      this.tools.delete(name);
      this.#announced.delete(name);
      this.#withdrawn.add(name);
      void this.announce();
    };
    this.#leaving.set(name, setTimeout(gone, GONE_AFTER_MS).unref());
  }

  #stay(name: string): void {
    clearTimeout(this.#leaving.get(name));
    this.#leaving.delete(name);
    this.#withdrawn.delete(name);
  }
}
