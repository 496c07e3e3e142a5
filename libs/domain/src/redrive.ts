import type { RequestedCall, RunState, ToolState } from '@toolstream/proto-events';
import { dependentsOf } from './graph.ts';

/** The job with this dispatch number ended the call as a dead letter, and nothing has happened to the call since. */
export const isDeadOf = (tool: ToolState, dispatch: number): boolean =>
  tool.status === 'failed' && tool.error?.code === 'dead_letter' && tool.dispatch === dispatch;

/** Why a dead letter is out of date. */
export const since = (tool: ToolState): string =>
  `The tool call was run again since then, and is ${tool.status}; retry the call itself, or rerun its run.`;

/**
 * The calls of an ended run that a redrive of one of them runs again: the call, with the arguments of its job, and what was
 * skipped for its sake alone. What else did not succeed stays as it is, and so does whatever waited for that too. Where the
 * run is known no more, the call alone.
 */
export function callsToRedrive(
  state: RunState | undefined,
  call: { readonly index: number } & Omit<RequestedCall, 'depends_on'>,
): RequestedCall[] {
  const { index, ...dead } = call;
  const first = { ...dead, depends_on: [] };
  if (!state) return [first];
  const { tools } = state;
  const again = new Set<number>(dependentsOf(tools, index).filter((i) => tools[i]?.status === 'skipped'));
  again.add(index);
  const lacks = (i: number): boolean =>
    tools[i]!.depends_on.some((dependency) => !again.has(dependency) && tools[dependency]?.status !== 'succeeded');
  for (let shrunk = true; shrunk; ) {
    shrunk = false;
    for (const i of again) if (i !== index && lacks(i)) shrunk = again.delete(i) || shrunk;
  }
  again.delete(index);
  const skipped = [...again].sort((a, b) => a - b).map((i) => tools[i]!);
  return [
    first,
    ...skipped.map((tool) => ({
      call_id: tool.call_id,
      name: tool.name,
      arguments: tool.arguments,
      depends_on: tool.depends_on.filter((i) => again.has(i) || i === index).map((i) => tools[i]!.call_id),
      timeout_ms: tool.timeout_ms,
    })),
  ];
}
