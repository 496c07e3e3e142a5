import type { RunState, ToolState } from '../src/index.ts';

export const BEGIN = Date.parse('2026-01-01T00:00:00.000Z');
export const at = (seconds: number): string => new Date(BEGIN + 1000 * seconds).toISOString();
export const after = (seconds: number): number => BEGIN + 1000 * seconds;

/** A call as the fold would have it, with what the test is about. */
export const aTool = (index: number, more: Partial<ToolState> = {}): ToolState => ({
  index,
  call_id: `call-${index}`,
  name: 'os-write',
  description: 'Writes a file.',
  pool: 'default',
  arguments: {},
  depends_on: [],
  timeout_ms: 60_000,
  retries: { max_attempts: 1, initial_ms: 0, factor: 1, max_ms: 0 },
  idempotent: true,
  isolation: 'inline',
  approval_policy: 'never',
  destructive: false,
  estimated_duration_ms: 10_000,
  status: 'pending',
  attempt: 0,
  dispatch: 0,
  claimed_dispatch: 0,
  tool_seq: 0,
  failures: 0,
  ...more,
});

export const running = (seconds: number, more: Partial<ToolState> = {}): Partial<ToolState> => ({
  status: 'running',
  attempt: 1,
  started_at: at(seconds),
  ...more,
});
export const succeeded = (from: number, to: number, more: Partial<ToolState> = {}): Partial<ToolState> => ({
  ...running(from),
  status: 'succeeded',
  ended_at: at(to),
  metrics: { duration_ms: 1000 * (to - from) },
  ...more,
});

export const aRun = (tools: Partial<ToolState>[], more: Partial<RunState> = {}): RunState => ({
  run_id: '0-01JQZX5M9G7V3T8R2KQWERTYAB',
  tenant: 't1',
  app: 'app-1',
  status: 'running',
  ordering: 'sequential',
  priority: 'normal',
  timeout_ms: 3_600_000,
  max_age_ms: 1e9,
  request_hash: 'h',
  seq: 1,
  accepted_seq: 1,
  run_seq: 1,
  accepted_at: at(0),
  started_at: at(0),
  paused_ms: 0,
  tools: tools.map((tool, index) => aTool(index, tool)),
  marks: {},
  commands: {},
  ...more,
});
