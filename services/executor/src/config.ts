import { baseConfig } from '@toolstream/service-kit';
import { storesConfig } from '@toolstream/stores';
import { z } from 'zod';
import { mcpVariable } from './mcp/config.ts';
import { toolSettingsShape } from './tools/settings.ts';

const ms = (fallback: number) => z.coerce.number().int().min(1).default(fallback);

export const executorConfig = z.object({
  ...baseConfig,
  ...storesConfig,
  ...toolSettingsShape,
  /** Jobs held at once, and so tools running at once. */
  SLOTS: z.coerce.number().int().min(1).max(1024).default(16),
  /** Which jobs to take: those of tools that were announced for this pool. */
  TOOLSTREAM_POOL: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 characters of A-Z a-z 0-9 _ -')
    .default('default'),
  /** How long a job may go without a sign of life before another executor takes it over. */
  TOOLSTREAM_LEASE_MS: z.coerce.number().int().min(300).default(30_000),
  TOOLSTREAM_PROGRESS_HZ: z.coerce.number().int().min(1).max(1000).default(30),
  /** Modules with more tools: package names or paths, comma-separated. */
  TOOLSTREAM_TOOLS: z.string().default(''),
  /** MCP servers whose tools to serve: JSON, or the path of a JSON file. */
  TOOLSTREAM_MCP: mcpVariable,
  /** How long a tool that is asked to stop may take before it is terminated. */
  TOOLSTREAM_GRACE_MS: ms(5_000),
  /** How long a paused run holds an idempotent tool before it is handed back. */
  TOOLSTREAM_PAUSE_HOLD_MS: ms(5_000),
  /** On shutdown: how long running tools may go on before those that may run again elsewhere are handed back. */
  TOOLSTREAM_DRAIN_MS: z.coerce.number().int().min(0).default(10_000),
  /** On shutdown: how long all of it may take. */
  TOOLSTREAM_STOP_MS: ms(25_000),
  /** Heap of each tool thread, and the buffers that it holds. */
  TOOLSTREAM_THREAD_HEAP_MB: z.coerce.number().int().min(16).default(256),
  /** Tool threads kept ready. */
  TOOLSTREAM_WARM_THREADS: z.coerce.number().int().min(0).max(1024).default(2),
  /** Memory of each tool process, all of it. */
  TOOLSTREAM_PROCESS_MEMORY_MB: z.coerce.number().int().min(128).default(512),
  /** Tool processes kept ready, if a tool is served that wants one. */
  TOOLSTREAM_WARM_PROCESSES: z.coerce.number().int().min(0).max(1024).default(1),
});
export type ExecutorConfig = z.infer<typeof executorConfig>;
