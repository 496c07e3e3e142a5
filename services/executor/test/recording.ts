import { createHash } from 'node:crypto';
import type { ArtifactRef, Json } from '@toolstream/proto-events';
import {
  createContext,
  type MetricCounts,
  type ProgressReport,
  type Tool,
  type ToolContext,
  type ToolHost,
} from '@toolstream/tool-kit';

/** Stands where an executor would: keeps every report that a tool makes, unfolded. */
export class Recording {
  readonly reports: ProgressReport[] = [];
  readonly counts: MetricCounts = {};
  readonly artifacts: Uint8Array[] = [];
  readonly outputs: [channel: string, text: string][] = [];
  readonly files = new Map<string, Uint8Array>();
  readonly controller = new AbortController();
  readonly context: ToolContext;

  constructor(tool: string) {
    const { files } = this;
    const described = (path: string) => {
      const bytes = files.get(path) as Uint8Array;
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { path, size: bytes.byteLength, sha256, run: 'r', index: 9, attempt: 1, modified_at: '' };
    };
    const head = async (path: string) => (files.has(path) ? { file: described(path), revision: 1 } : undefined);
    const none = async () => undefined as never;
    const host: ToolHost = {
      progress: async (reports) => void this.reports.push(...reports),
      output: async (channel, text) => void this.outputs.push([channel, text]),
      checkpoint: async () => {},
      count: (counts) => {
        for (const [name, amount] of Object.entries(counts) as ['api_calls', number][]) {
          this.counts[name] = (this.counts[name] ?? 0) + amount;
        }
      },
      log: () => {},
      workspace: {
        list: async () => [...files.keys()].map(described),
        head,
        read: async (path) => {
          const found = await head(path);
          return found && { ...found, bytes: files.get(path) as Uint8Array };
        },
        write: async (path, bytes, { onBytes }) => {
          files.set(path, bytes);
          onBytes?.(bytes.byteLength, bytes.byteLength);
          return described(path);
        },
        delete: none,
        rename: none,
      },
      artifacts: {
        put: async (source, { onBytes } = {}): Promise<ArtifactRef> => {
          const bytes = source instanceof Uint8Array ? source : Buffer.from(String(source));
          this.artifacts.push(bytes);
          onBytes?.(bytes.byteLength, bytes.byteLength);
          const sha256 = createHash('sha256').update(bytes).digest('hex');
          return { $ref: { artifact: `a${this.artifacts.length}`, bytes: bytes.byteLength, sha256 } };
        },
        get: async () => undefined,
      },
    };
    const call = { app: 'web', run: 'r', index: 0, call_id: 'c', tool, attempt: 1 };
    this.context = createContext(call, host, this.controller.signal);
  }

  get stages(): string[] {
    return this.reports.map(({ stage }) => stage).filter((stage, i, all) => stage !== all[i - 1]);
  }

  last(stage: string): ProgressReport | undefined {
    return this.reports.findLast((report) => report.stage === stage);
  }
}

export async function record(tool: Tool, args: Json): Promise<Recording & { result: Record<string, unknown> }> {
  const recording = new Recording(tool.name);
  const result = (await tool.invoke(recording.context, args)) as Record<string, unknown>;
  return Object.assign(recording, { result });
}
