import type { RunState, ToolState } from '@toolstream/proto-events';

export const at = (ms: number): string => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();
export const nowAt = (ms: number): number => Date.UTC(2026, 0, 1) + ms;

export function aTool(index: number, more: Partial<ToolState> = {}): ToolState {
  return {
    index,
    call_id: `call-${index}`,
    name: 'os-write',
    description: '',
    pool: 'default',
    arguments: { file_path: `src/file-${index}.ts`, content: '…' },
    depends_on: [],
    timeout_ms: 60_000,
    retries: { max_attempts: 3, initial_ms: 1, factor: 2, max_ms: 1 },
    idempotent: true,
    isolation: 'inline',
    approval_policy: 'never',
    destructive: false,
    estimated_duration_ms: 100,
    status: 'pending',
    attempt: 0,
    dispatch: 0,
    claimed_dispatch: 0,
    tool_seq: 0,
    failures: 0,
    ...more,
  };
}

export function aRun(tools: ToolState[], more: Partial<RunState> = {}): RunState {
  return {
    run_id: '0-01JQZX5M9G7V3T8R2KQWERTYAB',
    tenant: 'dev',
    app: 'demo',
    status: 'running',
    ordering: 'graph',
    priority: 'normal',
    timeout_ms: 60_000,
    max_age_ms: 60_000,
    request_hash: 'h',
    seq: 1,
    accepted_seq: 1,
    run_seq: 1,
    accepted_at: at(0),
    started_at: at(0),
    paused_ms: 0,
    tools,
    marks: {},
    commands: {},
    ...more,
  };
}
