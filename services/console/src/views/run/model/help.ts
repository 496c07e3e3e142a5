import { type ToolState, toolErrorCodes } from '@toolstream/proto-events';

/** What can be done about a failed call, the most likely first. */
export interface ErrorHelp {
  /** What the code means. */
  readonly meaning?: string;
  readonly advice: string;
  /** Whether trying the same again is likely to help. */
  readonly retry: boolean;
}

type ToolstreamCode = keyof typeof toolErrorCodes;

const ADVICE: Readonly<Record<ToolstreamCode, readonly [retry: boolean, advice: string]>> = {
  unknown_tool: [true, 'Start an executor that serves this tool, or correct the name; then retry it.'],
  invalid_arguments: [
    false,
    'Hand over the call again with arguments that fit the schema of the tool; the message says where they do not.',
  ],
  timeout: [true, 'Retry it, with less to do or with a longer timeout_ms.'],
  tool_error: [true, 'Look at its output for the cause; retry it once that is gone.'],
  tool_crashed: [
    true,
    'Look at the last lines of its output, then retry it. If it crashes again, the tool has to be mended.',
  ],
  out_of_memory: [false, 'Give it less to do at once, or the tool more memory (memoryMb).'],
  workspace_conflict: [true, 'Retry it: it reads the file as it is now.'],
  path_outside_workspace: [false, 'Use a path inside the workspace of the app.'],
  dead_letter: [
    true,
    'Find out why no executor brings it to an end; then retry it here, or redrive it from the dead letters.',
  ],
  lost_attempt_denied: [true, 'Check what the lost attempt has done already; retry it if doing it again is safe.'],
  mcp_unavailable: [true, 'See that the MCP server runs and can be reached; then retry it.'],
  mcp_connection_lost: [true, 'Check what was done before the connection broke; then retry it.'],
  mcp_unauthorized: [false, 'Give the executor credentials that the MCP server takes.'],
  mcp_bad_result: [false, 'The MCP server has to be mended: its result does not fit what it announced.'],
  mcp_error: [true, 'Read what the MCP server says; correct the arguments, or retry it.'],
  result_too_large: [false, 'Let the tool return less, or write what is large into a file.'],
};

const isToolstreamCode = (code: string): code is ToolstreamCode => Object.hasOwn(toolErrorCodes, code);

export function helpFor(error: NonNullable<ToolState['error']>): ErrorHelp {
  if (!isToolstreamCode(error.code)) {
    return { advice: 'The tool itself says no: the message says why. Correct that, then retry it.', retry: true };
  }
  const [retry, advice] = ADVICE[error.code];
  return { meaning: toolErrorCodes[error.code], advice, retry };
}
