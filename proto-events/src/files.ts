import { z } from 'zod';

/** A file of an app's workspace as it is listed. */
export const fileListing = z.object({
  path: z.string(),
  size: z.number().int(),
  sha256: z.string(),
  /** Absent for what is no text. */
  lines: z.number().int().optional(),
  /** The attempt that wrote it last. */
  run: z.string(),
  index: z.number().int(),
  attempt: z.number().int(),
  modified_at: z.string(),
});
export type FileListing = z.infer<typeof fileListing>;

/** A content as it stood at a path. */
export const contentState = z.object({
  version: z.string().optional().describe('Hand it back as `version` to read it; absent: it is not kept any more'),
  size: z.number().int(),
  sha256: z.string(),
  /** Absent for what is no text. */
  lines: z.number().int().optional(),
});
export type ContentState = z.infer<typeof contentState>;

/** What one tool call did to one path. */
export const fileChange = z.object({
  path: z.string(),
  change: z.enum(['created', 'changed', 'renamed', 'deleted']),
  run: z.string(),
  index: z.number().int(),
  attempt: z.number().int(),
  modified_at: z.string(),
  moved_from: z.string().optional(),
  /** Absent where there was none, or nothing is known of it any more. */
  before: contentState.optional(),
  after: contentState.optional(),
  held_at: z
    .string()
    .describe('The path to read the versions at: another than `path` where the file was renamed since'),
});
export type FileChange = z.infer<typeof fileChange>;
