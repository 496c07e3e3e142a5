import { type ErrorCode, errorStatus } from './error-status.ts';

const help: Readonly<Record<ErrorCode, string>> = {
  bad_json: 'Send a body that is valid JSON.',
  bad_cursor: 'Send a cursor exactly as you received it, or none.',
  bad_request: 'Correct the request as the message says.',
  unauthenticated: 'Send a valid token.',
  token_expired: 'Fetch a new token, then try again.',
  token_revoked: 'The token was revoked; sign in again.',
  forbidden: 'Use a token whose scope and apps allow this.',
  not_found: 'Check the id; it does not exist for this tenant.',
  run_ended: 'The run has ended; use rerun to run its calls again.',
  tool_ended: 'The tool call has ended.',
  not_awaiting_approval: 'The tool call does not wait for an approval.',
  tool_not_ended: 'Only an ended tool call can be retried.',
  body_too_large: 'Keep the body within 8 MiB.',
  unsupported_media_type: 'Send application/json.',
  invalid: 'Correct the fields that the message names.',
  duplicate_call_id: 'Give every tool call of a run its own id.',
  dependency_cycle: 'Break the cycle in depends_on.',
  too_many_calls: 'Send at most 256 tool calls in a run.',
  idempotency_key_reused: 'Use a new Idempotency-Key for a different body.',
  rate_limited: 'Wait as Retry-After says, then try again.',
  busy: 'Try again as Retry-After says.',
  log_full: 'The event log is full; an operator must make room.',
  unavailable: 'A part of the service is not reachable; try again as Retry-After says.',
  projection_behind: 'The projection has not reached min_cursor yet; try again.',
  internal: 'A fault of the service; report it with the request id.',

  // Over the socket only.
  hello_expected: 'Send a hello frame first.',
  hello_repeated: 'Send hello once per connection.',
  unknown_frame: 'Send only the frame types of the protocol.',
  bad_frame: 'Send frames that match the protocol.',
  too_many_subscriptions: 'Unsubscribe from something first.',
};

type Refusals = {
  readonly [C in ErrorCode]: { readonly status: (typeof errorStatus)[C]; readonly help: string };
};

/** Every refusal that a caller can meet: stable code → HTTP status and what to do about it. Nothing in a bundle without it. */
export const errorCodes: Refusals = /* @__PURE__ */ refusals();

function refusals(): Refusals {
  const codes = Object.entries(errorStatus) as [ErrorCode, number][];
  return Object.fromEntries(codes.map(([code, status]) => [code, { status, help: help[code] }])) as Refusals;
}

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

/** Why the service closes a WebSocket. 40xx: do not come back. 41xx: come back later. 42xx: come back now. */
export const closeReasons = {
  4000: 'bad_request',
  4001: 'unauthenticated',
  4003: 'forbidden',
  4004: 'token_revoked',
  4008: 'hello_timeout',
  4100: 'rate_limited',
  4101: 'capacity',
  4102: 'slow',
  4103: 'unavailable',
  4200: 'token_expired',
  4201: 'drain',
  4202: 'resync',
  4203: 'heartbeat_missed',
} as const satisfies Record<number, string>;
export type CloseCode = keyof typeof closeReasons;

export function reconnectAfterClose(code: number): 'never' | 'later' | 'now' {
  if (code >= 4000 && code < 4100) return 'never';
  if (code >= 4100 && code < 4200) return 'later';
  return 'now';
}

type Closes = {
  readonly [C in CloseCode]: {
    readonly reason: (typeof closeReasons)[C];
    readonly reconnect: 'never' | 'later' | 'now';
  };
};

/** Every close code of ours, with what it says and whether to come back. */
export const closeCodes: Closes = /* @__PURE__ */ closes();

function closes(): Closes {
  const reasons = Object.entries(closeReasons).map(([code, reason]) => [Number(code), reason] as const);
  return Object.fromEntries(
    reasons.map(([code, reason]) => [code, { reason, reconnect: reconnectAfterClose(code) }]),
  ) as unknown as Closes;
}
