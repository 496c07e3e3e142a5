import { z } from 'zod';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export const json: z.ZodType<Json> = z.json() as z.ZodType<Json>;

/** ISO 8601, UTC, milliseconds. */
export const instant = z.iso.datetime();
export const millis = z.number().int().nonnegative();
export const count = z.number().int().nonnegative();

/** A value too large for an event: the artifact that holds its JSON. */
export const artifactRef = z.object({
  $ref: z.object({ artifact: z.string().max(200), bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
});
export type ArtifactRef = z.infer<typeof artifactRef>;

export function isArtifactRef(value: unknown): value is ArtifactRef {
  return artifactRef.safeParse(value).success && Object.keys(value as object).length === 1;
}

export const toolError = z.object({
  code: z.string().min(1).max(64),
  message: z.string(),
  details: json.optional(),
});
export type ToolError = z.infer<typeof toolError>;

/** What an attempt measured of itself, as far as it applies. */
export const toolMetrics = z.object({
  duration_ms: millis.optional(),
  queue_ms: millis.optional(),
  memory_peak_bytes: count.optional(),
  /** Processor time of its thread or process, user and system together. */
  cpu_ms: count.optional(),
  api_calls: count.optional(),
  bytes_written: count.optional(),
  files_created: count.optional(),
  lines_written: count.optional(),
});
export type ToolMetrics = z.infer<typeof toolMetrics>;

/** What a call asks a person before it can go on, and the JSON Schema that the answer must fit. */
export const inputRequest = z.object({ message: z.string().max(4096), schema: json.optional() });
export type InputRequest = z.infer<typeof inputRequest>;

export const runSummary = z.object({
  total: count,
  successful: count,
  failed: count,
  cancelled: count,
  skipped: count,
  duration_ms: millis,
  files_created: count,
  lines_written: count,
});
export type RunSummary = z.infer<typeof runSummary>;
