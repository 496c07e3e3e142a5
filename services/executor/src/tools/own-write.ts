import { createHash } from 'node:crypto';
import type { Json } from '@toolstream/proto-events';
import type { MetricCounts, ToolContext, WorkspaceHead } from '@toolstream/tool-kit';
import { METRICS } from '@toolstream/tool-kit';

/** Kept with a written file: what the call that wrote it was asked, answered and counted. */
interface WriteRecord {
  readonly asked: string;
  readonly result: Json;
  readonly counts: MetricCounts;
}

/** Stands for a call's arguments: an edited call that reuses the index is another call. */
export const fingerprint = (args: Json): string => createHash('sha256').update(JSON.stringify(args)).digest('hex');

export const writeRecord = (asked: string, result: Json, counts: MetricCounts): Json => ({
  asked,
  result,
  counts: { ...counts },
});

/**
 * The result of an earlier attempt of this very call, if its write was the file's last: the attempt wrote and was lost
 * before it could say so. Writing again would apply the change twice.
 */
export function earlierResult(ctx: ToolContext, head: WorkspaceHead | undefined, asked: string): Json | undefined {
  if (!head || head.file.run !== ctx.call.run || head.file.index !== ctx.call.index) return undefined;
  const record = head.file.meta as unknown as WriteRecord | undefined;
  if (record?.asked !== asked) return undefined;
  for (const name of METRICS) ctx.metrics.add(name, record.counts[name] ?? 0);
  return record.result;
}
