import { isRunId, isToken } from '@toolstream/proto-events';

export const CHANNEL = 'ToolExecutionChannel';
/** Longer identifiers are nobody's. */
const MAX_IDENTIFIER = 2_048;

/** What a subscription is about. */
export type Target =
  | { readonly kind: 'run'; readonly run: string }
  | { readonly kind: 'message'; readonly message: string }
  | { readonly kind: 'app'; readonly app: string };

/**
 * Reads an identifier. It stays the client's own text, to be echoed byte for byte; other parameters in it are the client's
 * business. Of several that name something the narrowest counts. `undefined`: another channel, or nothing that could exist.
 */
export function targetOf(identifier: string): Target | undefined {
  if (identifier.length > MAX_IDENTIFIER) return undefined;
  let params: Record<string, unknown>;
  try {
    params = JSON.parse(identifier) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (typeof params !== 'object' || params === null || params.channel !== CHANNEL) return undefined;
  const { run_id, message_id, app_id } = params;
  if (run_id !== undefined) return isRunId(run_id) ? { kind: 'run', run: run_id } : undefined;
  if (message_id !== undefined) {
    const message = idText(message_id);
    return message === undefined ? undefined : { kind: 'message', message };
  }
  const app = idText(app_id);
  return app === undefined ? undefined : { kind: 'app', app };
}

/** Rails hands out integers, others strings. */
function idText(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
  return isToken(value) ? value : undefined;
}
