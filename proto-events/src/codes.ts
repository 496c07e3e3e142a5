/** Every refusal that a caller can meet: stable code → HTTP status and what to do about it. */
export const errorCodes = {
  bad_json: { status: 400, help: 'Send a body that is valid JSON.' },
  bad_cursor: { status: 400, help: 'Send a cursor exactly as you received it, or none.' },
  bad_request: { status: 400, help: 'Correct the request as the message says.' },
  unauthenticated: { status: 401, help: 'Send a valid token.' },
  token_expired: { status: 401, help: 'Fetch a new token, then try again.' },
  token_revoked: { status: 401, help: 'The token was revoked; sign in again.' },
  forbidden: { status: 403, help: 'Use a token whose scope and apps allow this.' },
  not_found: { status: 404, help: 'Check the id; it does not exist for this tenant.' },
  run_ended: { status: 409, help: 'The run has ended; use rerun to run its calls again.' },
  tool_ended: { status: 409, help: 'The tool call has ended.' },
  not_awaiting_approval: { status: 409, help: 'The tool call does not wait for an approval.' },
  tool_not_ended: { status: 409, help: 'Only an ended tool call can be retried.' },
  body_too_large: { status: 413, help: 'Keep the body within 8 MiB.' },
  unsupported_media_type: { status: 415, help: 'Send application/json.' },
  invalid: { status: 422, help: 'Correct the fields that the message names.' },
  duplicate_call_id: { status: 422, help: 'Give every tool call of a run its own id.' },
  dependency_cycle: { status: 422, help: 'Break the cycle in depends_on.' },
  too_many_calls: { status: 422, help: 'Send at most 256 tool calls in a run.' },
  idempotency_key_reused: { status: 422, help: 'Use a new Idempotency-Key for a different body.' },
  rate_limited: { status: 429, help: 'Wait as Retry-After says, then try again.' },
  busy: { status: 503, help: 'Try again as Retry-After says.' },
  log_full: { status: 503, help: 'The event log is full; an operator must make room.' },
  unavailable: { status: 503, help: 'A part of the service is not reachable; try again as Retry-After says.' },
  projection_behind: { status: 503, help: 'The projection has not reached min_cursor yet; try again.' },
  internal: { status: 500, help: 'A fault of the service; report it with the request id.' },

  // Over the socket only.
  hello_expected: { status: 400, help: 'Send a hello frame first.' },
  hello_repeated: { status: 400, help: 'Send hello once per connection.' },
  unknown_frame: { status: 400, help: 'Send only the frame types of the protocol.' },
  bad_frame: { status: 400, help: 'Send frames that match the protocol.' },
  too_many_subscriptions: { status: 429, help: 'Unsubscribe from something first.' },
} as const satisfies Record<string, { status: number; help: string }>;
export type ErrorCode = keyof typeof errorCodes;
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code);

/** Why a tool call failed: codes in `tool.failed` that Toolstream itself writes. Tools may add their own. */
export const toolErrorCodes = {
  unknown_tool: 'No executor serves a tool of this name.',
  invalid_arguments: 'The arguments do not parse or do not fit the schema of the tool.',
  timeout: 'The tool call ran longer than its timeout.',
  tool_error: 'The tool threw an error.',
  tool_crashed: 'The thread or process of the tool ended without an answer.',
  out_of_memory: 'The tool needed more memory than its thread or process may have.',
  workspace_conflict: 'The file changed since the attempt read it.',
  path_outside_workspace: 'The path leaves the workspace.',
  dead_letter: 'The job was delivered too often without an end.',
  lost_attempt_denied: 'The attempt was lost, and running it again was denied.',
  mcp_unavailable: 'The MCP server of the tool is not reachable; nothing was asked of it.',
  mcp_connection_lost: 'The MCP server went away during the call; how far it came is not known.',
  mcp_unauthorized: 'The MCP server refuses the executor.',
  mcp_bad_result: 'The MCP server gave a result that does not fit the schema that it announced.',
  mcp_error: 'The MCP server answered with an error of the protocol.',
  result_too_large: 'The result could not be stored.',
} as const;

export const SUBPROTOCOL = 'toolstream.v1.json';

/** WebSocket close codes. 40xx: do not come back. 41xx: come back later. 42xx: come back now. */
export const closeCodes = {
  4000: { reason: 'bad_request', reconnect: 'never' },
  4001: { reason: 'unauthenticated', reconnect: 'never' },
  4003: { reason: 'forbidden', reconnect: 'never' },
  4004: { reason: 'token_revoked', reconnect: 'never' },
  4008: { reason: 'hello_timeout', reconnect: 'never' },
  4100: { reason: 'rate_limited', reconnect: 'later' },
  4101: { reason: 'capacity', reconnect: 'later' },
  4102: { reason: 'slow', reconnect: 'later' },
  4103: { reason: 'unavailable', reconnect: 'later' },
  4200: { reason: 'token_expired', reconnect: 'now' },
  4201: { reason: 'drain', reconnect: 'now' },
  4202: { reason: 'resync', reconnect: 'now' },
  4203: { reason: 'heartbeat_missed', reconnect: 'now' },
} as const satisfies Record<number, { reason: string; reconnect: 'never' | 'later' | 'now' }>;
export type CloseCode = keyof typeof closeCodes;

export function reconnectAfterClose(code: number): 'never' | 'later' | 'now' {
  if (code >= 4000 && code < 4100) return 'never';
  if (code >= 4100 && code < 4200) return 'later';
  return 'now';
}
