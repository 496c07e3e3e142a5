import type { RunState, ToolState } from '@toolstream/proto-events';

/** A call as it stands before anything has happened, but for what a test is about: no history leads to it. */
export const toolState = (index: number, over: Partial<ToolState> = {}): ToolState => ({
  index,
  call_id: `call_${index}`,
  name: 'os-write',
  description: 'Writes a file.',
  pool: 'default',
  arguments: { file_path: `f${index}.txt` },
  depends_on: [],
  timeout_ms: 60_000,
  retries: { max_attempts: 3, initial_ms: 1_000, factor: 2, max_ms: 10_000 },
  idempotent: true,
  isolation: 'inline',
  approval_policy: 'never',
  destructive: false,
  estimated_duration_ms: 1_000,
  status: 'pending',
  attempt: 0,
  dispatch: 0,
  claimed_dispatch: 0,
  tool_seq: 0,
  failures: 0,
  ...over,
});

/** A run of these calls that began at `since`. */
export const runState = (since: string, tools: readonly ToolState[], over: Partial<RunState> = {}): RunState => ({
  run_id: '0-01JQZX5M9G7V3T8R2KQWERTYAB',
  tenant: 't1',
  app: 'app-1',
  status: 'running',
  ordering: 'sequential',
  priority: 'normal',
  timeout_ms: 3_600_000,
  max_age_ms: 14 * 86_400_000,
  request_hash: 'h',
  seq: 10,
  accepted_seq: 1,
  run_seq: 10,
  accepted_at: since,
  started_at: since,
  paused_ms: 0,
  tools: [...tools],
  marks: {},
  commands: {},
  ...over,
});
