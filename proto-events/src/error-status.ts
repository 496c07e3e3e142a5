/** Every refusal that a caller can meet, and its HTTP status. Apart from what to do about it, which only the service says. */
export const errorStatus = {
  bad_json: 400,
  bad_cursor: 400,
  bad_request: 400,
  unauthenticated: 401,
  token_expired: 401,
  token_revoked: 401,
  forbidden: 403,
  not_found: 404,
  run_ended: 409,
  tool_ended: 409,
  not_awaiting_approval: 409,
  tool_not_ended: 409,
  body_too_large: 413,
  unsupported_media_type: 415,
  invalid: 422,
  duplicate_call_id: 422,
  dependency_cycle: 422,
  too_many_calls: 422,
  idempotency_key_reused: 422,
  rate_limited: 429,
  busy: 503,
  log_full: 503,
  unavailable: 503,
  projection_behind: 503,
  internal: 500,

  // Over the socket only.
  hello_expected: 400,
  hello_repeated: 400,
  unknown_frame: 400,
  bad_frame: 400,
  too_many_subscriptions: 429,
} as const satisfies Record<string, number>;
export type ErrorCode = keyof typeof errorStatus;
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorStatus, code);
