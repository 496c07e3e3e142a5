import type { NatsConnection } from '@nats-io/nats-core';
import type { Catalog } from '@toolstream/domain';
import {
  ESTIMATES_BUCKET,
  isToken,
  type Json,
  TOOLS_BUCKET,
  type ToolDefinition,
  type ToolEstimate,
  toolDefinition,
  toolEstimate,
} from '@toolstream/proto-events';
import { asError, type Logger } from '@toolstream/service-kit';
import { LRUCache } from 'lru-cache';
import { ArgumentValidator } from './argument-validator.ts';
import { openBucket, WatchedBucket } from './watched-bucket.ts';

/** A name that nobody served is looked up again after this long: calls to unknown tools must not cost a read each. */
const UNKNOWN_FOR_MS = 1_000;

export interface CatalogOptions {
  readonly nc: NatsConnection;
  readonly log: Logger;
  /** Makes the buckets where they do not exist. */
  readonly create: boolean;
}

/** The tools that executors announced and what the projection learned of them, as the core asks for them. */
export class ToolCatalog implements Catalog {
  readonly #tools: WatchedBucket<ToolDefinition>;
  readonly #estimates: WatchedBucket<ToolEstimate>;
  readonly #validator: ArgumentValidator;
  readonly #unknown = new LRUCache<string, true>({ max: 10_000, ttl: UNKNOWN_FOR_MS });
  readonly #log: Logger;
  /** Name → definition; made anew after a change. */
  #byName: Map<string, ToolDefinition> | undefined;

  private constructor(
    tools: (onChange: () => void) => WatchedBucket<ToolDefinition>,
    estimates: WatchedBucket<ToolEstimate>,
    log: Logger,
  ) {
    this.#tools = tools(() => {
      this.#byName = undefined;
    });
    this.#estimates = estimates;
    this.#log = log;
    this.#validator = new ArgumentValidator((tool, error) => {
      log.error({ tool, error: asError(error) }, 'the schema of a tool cannot be used; its arguments are not checked');
    });
  }

  static async open({ nc, log, create }: CatalogOptions): Promise<ToolCatalog> {
    const [tools, estimates] = await Promise.all([
      openBucket(nc, TOOLS_BUCKET, create),
      openBucket(nc, ESTIMATES_BUCKET, create),
    ]);
    const catalog = new ToolCatalog(
      (onChange) => new WatchedBucket(tools, toolDefinition, log, onChange),
      new WatchedBucket(estimates, toolEstimate, log),
      log,
    );
    await Promise.all([catalog.#tools.start(), catalog.#estimates.start()]);
    return catalog;
  }

  /** Of several pools that serve a name the one whose name sorts first: the same in every orchestrator. */
  find(name: string): ToolDefinition | undefined {
    this.#byName ??= this.#index();
    return this.#byName.get(name);
  }

  estimate(name: string): ToolEstimate | undefined {
    return this.#estimates.values.get(name);
  }

  validate(definition: ToolDefinition, args: Json): string | undefined {
    return this.#validator.problem(definition, args);
  }

  /**
   * Looks for names that the watch has not shown yet. An unknown tool ends its call for good, and an executor that has
   * just announced its tools must not lose the race against the watch.
   */
  async lookUp(names: Iterable<string>): Promise<void> {
    const missing = [...new Set(names)].filter((name) => isToken(name) && !this.find(name) && !this.#unknown.has(name));
    if (missing.length === 0) return;
    try {
      await this.#tools.refresh(missing.length === 1 ? `*.${missing[0]}` : '>');
    } catch (error) {
      this.#log.warn({ error: asError(error) }, 'the tools could not be looked up');
    }
    for (const name of missing) if (!this.find(name)) this.#unknown.set(name, true);
  }

  stop(): void {
    this.#tools.stop();
    this.#estimates.stop();
  }

  #index(): Map<string, ToolDefinition> {
    const byName = new Map<string, ToolDefinition>();
    for (const tool of this.#tools.values.values()) {
      const other = byName.get(tool.name);
      if (!other || tool.pool < other.pool) byName.set(tool.name, tool);
    }
    return byName;
  }
}
