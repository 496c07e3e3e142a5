import type { Json, RunState } from '@toolstream/proto-events';
import type { Artifacts } from '@toolstream/stores';
import { Refusal } from '../problems.ts';
import { resolved } from '../requests/resolved.ts';
import { executionMs, metricsOf, seconds } from './figures.ts';
import type { CableMessage } from './messages.ts';

/** Arguments and results are put in up to this size; what is larger stays a reference. */
const VALUE_BYTES = 256 * 1024;

/** Everything about one call, as it is now: the answer to `request_tool_details`. */
export async function toolDetails(artifacts: Artifacts, run: RunState, index: Json | undefined): Promise<CableMessage> {
  const tool = /^\d{1,3}$/.test(String(index)) ? run.tools[Number(index)] : undefined;
  if (!tool) throw new Refusal('not_found', `tool_index: the run has ${run.tools.length} tool calls, counted from 0.`);
  const scope = { tenant: run.tenant, maxBytes: VALUE_BYTES };
  const [args, result] = await Promise.all([
    resolved(artifacts, tool.arguments, scope),
    tool.result === undefined ? undefined : resolved(artifacts, tool.result, scope),
  ]);
  const { progress } = tool;
  return {
    action: 'tool_details',
    tool_index: tool.index,
    call_id: tool.call_id,
    tool_name: tool.name,
    description: tool.description,
    status: tool.status,
    attempt: tool.attempt,
    arguments: args,
    estimated_duration: seconds(tool.estimated_duration_ms),
    execution_time: seconds(executionMs(tool)),
    ...(progress === undefined
      ? {}
      : {
          stage: progress.stage,
          message: progress.message ?? progress.stage,
          progress: progress.progress ?? tool.measured ?? 0,
          details: progress.details,
        }),
    output: tool.output?.map(({ channel, text }) => ({ channel, text })) ?? [],
    result,
    error: tool.error,
    metrics: metricsOf(tool),
    started_at: tool.started_at,
    ended_at: tool.ended_at,
    run_id: run.run_id,
    app_id: run.app,
    message_id: run.message_id,
  };
}
