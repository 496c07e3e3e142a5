import { Kvm, type KvWatchEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { TOOLS_BUCKET, type ToolDefinition, toolDefinition } from '@toolstream/proto-events';
import type { Logger } from '@toolstream/service-kit';

/** The tools that executors announced, kept current by a watch. */
export interface ToolCatalog {
  list(): ToolDefinition[];
  find(name: string): ToolDefinition | undefined;
  stop(): void;
}

const WATCH_RETRY_MS = 1_000;

export async function watchTools(nc: NatsConnection, log: Logger): Promise<ToolCatalog> {
  const bucket = await new Kvm(nc).create(TOOLS_BUCKET, { history: 1 });
  /** `<pool>.<name>` → definition. */
  const tools = new Map<string, ToolDefinition>();
  let stopped = false;
  let current: { stop(err?: Error): void } | undefined;

  const apply = (entry: KvWatchEntry) => {
    if (entry.operation !== 'PUT') {
      tools.delete(entry.key);
      return;
    }
    const parsed = toolDefinition.safeParse(safeJson(entry));
    if (parsed.success) tools.set(entry.key, parsed.data);
    else log.warn({ key: entry.key }, 'a tool definition is not understood');
  };

  /** Resolves once the present content is known; goes on in the background, and begins again if the watch ends. */
  const watch = async (): Promise<void> => {
    const { values } = await bucket.status();
    const entries = await bucket.watch();
    current = entries;
    await new Promise<void>((known) => {
      if (values === 0) known();
      void (async () => {
        for await (const entry of entries) {
          apply(entry);
          if (entry.delta === 0) known();
        }
      })()
        .catch((error: unknown) => log.warn({ error }, 'the watch of the tools ended'))
        .finally(() => {
          known();
          if (!stopped && !nc.isClosed()) setTimeout(() => void again(), WATCH_RETRY_MS).unref();
        });
    });
  };
  const again = async (): Promise<void> => {
    try {
      await watch();
    } catch (error) {
      log.warn({ error }, 'the tools cannot be watched yet');
      if (!stopped && !nc.isClosed()) setTimeout(() => void again(), WATCH_RETRY_MS).unref();
    }
  };
  await watch();

  return {
    list: () =>
      [...tools.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.pool < b.pool ? -1 : 1)),
    find: (name) => [...tools.values()].find((tool) => tool.name === name),
    stop: () => {
      stopped = true;
      current?.stop();
    },
  };
}

function safeJson(entry: KvWatchEntry): unknown {
  try {
    return entry.json<unknown>();
  } catch {
    return undefined;
  }
}
