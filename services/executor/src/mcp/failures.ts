import { ProtocolError, ProtocolErrorCode, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { ToolFailure } from '@toolstream/tool-kit';

/** JSON-RPC leaves -32000 and below to implementations; MCP libraries say so of a connection that closes. */
export const CONNECTION_CLOSED = -32_000;
/** Errors of a connection that was never made: the request has not been sent. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
/** The client's own checks of what a tool gave, told from a server's refusal of the arguments by their words only. */
const BAD_RESULT = /structured content|output ?schema/i;

export interface CallOf {
  readonly server: string;
  readonly idempotent: boolean;
  /** How long the client waited for a word of the server, where that has a limit. */
  readonly idleTimeoutMs?: number | undefined;
}

export const unavailable = (server: string, problem: string, cause?: unknown): ToolFailure =>
  new ToolFailure({
    code: 'mcp_unavailable',
    message: `The MCP server ${server} is not reachable: ${problem}`,
    // Nothing was asked of it.
    retryable: true,
    cause,
  });

/** The session that the request named is gone: the server has not looked at the request itself. */
export function isSessionLost(error: unknown): boolean {
  if (!(error instanceof SdkHttpError)) return false;
  return error.status === 404 || (error.status === 400 && /session/i.test(error.message));
}

/** What a failed request says about its call. Whatever the server may have done by then makes it retryable or not. */
export function failureOfCall(error: unknown, { server, idempotent, idleTimeoutMs }: CallOf): ToolFailure {
  const failed = (code: string, message: string, retryable: boolean) =>
    new ToolFailure({ code, message, retryable, cause: error });
  const { message } = error instanceof Error ? error : new Error(String(error));
  if (error instanceof SdkHttpError) {
    if (error.status === 401 || error.status === 403) {
      return failed('mcp_unauthorized', `The MCP server ${server} refuses this executor: ${message}`, false);
    }
    return failed('mcp_error', `The MCP server ${server} answered ${error.status}: ${message}`, idempotent);
  }
  if (error instanceof ProtocolError) {
    if (BAD_RESULT.test(message)) return failed('mcp_bad_result', message, false);
    const refused = error.code === ProtocolErrorCode.InvalidParams;
    if (refused) return failed('invalid_arguments', message, false);
    if (error.code === CONNECTION_CLOSED) return lost(server, message, idempotent, error);
    return failed('mcp_error', `The MCP server ${server} failed: ${message}`, idempotent);
  }
  if (error instanceof SdkError) {
    if (error.code === SdkErrorCode.RequestTimeout) {
      const silence = `The MCP server ${server} sent no progress and no result for ${idleTimeoutMs} ms.`;
      return failed('timeout', silence, idempotent);
    }
    if (error.code === SdkErrorCode.NotConnected) return unavailable(server, message, error);
    if (error.code === SdkErrorCode.ConnectionClosed) return lost(server, message, idempotent, error);
    return failed('mcp_error', `The MCP server ${server} failed: ${message}`, idempotent);
  }
  const code = (((error as Error).cause ?? error) as { code?: string } | undefined)?.code;
  if (code !== undefined && NOT_SENT.has(code)) return unavailable(server, code, error);
  return lost(server, message, idempotent, error);
}

const lost = (server: string, message: string, idempotent: boolean, cause: unknown): ToolFailure =>
  new ToolFailure({
    code: 'mcp_connection_lost',
    message: `The MCP server ${server} went away during the call, and it is not known how far it came: ${message}`,
    retryable: idempotent,
    cause,
  });
