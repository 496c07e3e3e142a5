import {
  EVENT_LIMIT_BYTES,
  INLINE_LIMIT_BYTES,
  type Json,
  MAX_CALLS,
  type Priority,
  type RequestedCall,
  requestedCall,
  submitBody,
} from '@toolstream/proto-events';
import { invalid, Refusal } from '../problems.ts';
import { canonicalJson, requireShallow, sha256 } from './json.ts';

/** A checked `POST /v1/runs` body, independent of the wire shape of its calls. */
export interface Submission {
  readonly app: string;
  readonly message_id?: string | undefined;
  readonly mode: 'sequential' | 'parallel';
  readonly priority: Priority;
  readonly calls: readonly RequestedCall[];
}

/**
 * Checks a body. Arguments are JSON by construction (the body was parsed), so the schema never walks into them: a body of
 * 8 MiB costs its parsing and no more.
 */
export function parseSubmission(body: unknown): Submission {
  const calls = (body as { tool_calls?: unknown } | null | undefined)?.tool_calls;
  if (Array.isArray(calls) && calls.length > MAX_CALLS) {
    throw new Refusal('too_many_calls', `A run holds at most ${MAX_CALLS} tool calls; this one has ${calls.length}.`);
  }
  requireShallow(body, 'body');
  const { outline, restore } = withoutArguments(body);
  const parsed = submitBody.safeParse(outline);
  if (!parsed.success) throw invalid(parsed.error);
  const { app, message_id, mode = 'sequential', priority = 'normal', tool_calls } = parsed.data;
  const requested = tool_calls.map((call, index) => {
    const normalised = requestedCall(restore(call, index));
    requireShallow(normalised.arguments, `tool_calls[${index}].arguments`);
    return normalised;
  });
  return { app, message_id, mode, priority, calls: requested };
}

type WireCalls = Parameters<typeof requestedCall>[0];

/** The body with every call's arguments left out, and how to put them back into the checked calls. */
function withoutArguments(body: unknown): {
  outline: unknown;
  restore: (call: WireCalls, index: number) => WireCalls;
} {
  const given = (body as { tool_calls?: unknown } | null | undefined)?.tool_calls;
  if (!Array.isArray(given)) return { outline: body, restore: (call) => call };
  const tool_calls = given.map((call: unknown) => {
    if (!isObject(call)) return call;
    const { arguments: _arguments, input: _input, ...rest } = call;
    if (!isObject(rest.function)) return rest;
    const { arguments: _inner, ...called } = rest.function;
    return { ...rest, function: called };
  });
  return {
    outline: { ...(body as object), tool_calls },
    restore(call, index) {
      const raw = given[index] as { arguments?: Json; input?: Json; function?: { arguments?: Json } };
      if ('function' in call) {
        return raw.function?.arguments === undefined
          ? call
          : { ...call, function: { ...call.function, arguments: raw.function.arguments } };
      }
      if ('type' in call) return raw.input === undefined ? call : { ...call, input: raw.input };
      return raw.arguments === undefined ? call : { ...call, arguments: raw.arguments };
    },
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What makes two requests the same: everything that was asked for, and nothing of how it was written. The words of a JSON
 * parser about broken arguments are left out (the broken text itself is in), so they may change with the runtime.
 */
export function requestHash(submission: Submission, rerunOf?: { run: string; from: number }): string {
  const { app, message_id, mode, priority, calls } = submission;
  return sha256(
    canonicalJson({
      app,
      message_id: message_id ?? null,
      mode,
      priority,
      rerun_of: rerunOf ? `${rerunOf.run}/${rerunOf.from}` : null,
      calls: calls.map(({ parse_error, timeout_ms, depends_on, ...call }) => ({
        ...call,
        depends_on: [...depends_on],
        timeout_ms: timeout_ms ?? null,
        broken: parse_error !== undefined,
      })),
    }),
  );
}

/** What a plan adds to a call besides its arguments and its tool's description: policy, names of fields, punctuation. */
const PLAN_BYTES_PER_CALL = 640;
const EVENT_OVERHEAD_BYTES = 4 * 1024;

export interface ArgumentStore {
  /** The value itself while its JSON has at most `limit` bytes, else a reference to an artifact that holds it. */
  putJsonIfLarge(value: Json, options: { limit: number; tenant: string; kind: string }): Promise<Json>;
}

/**
 * Moves arguments to artifacts until `run.accepted` fits its limit: whatever is over 32 KiB, then the largest of the rest.
 */
export async function storeLargeArguments(
  calls: readonly RequestedCall[],
  tenant: string,
  store: ArgumentStore,
  descriptionBytes: (tool: string) => number,
): Promise<RequestedCall[]> {
  const sizes = calls.map((call) => jsonBytes(call.arguments));
  const fixed = calls.reduce(
    (sum, call) =>
      sum + PLAN_BYTES_PER_CALL + jsonBytes(call.call_id) + jsonBytes(call.name) + descriptionBytes(call.name),
    EVENT_OVERHEAD_BYTES,
  );
  const stored = new Set(sizes.flatMap((size, index) => (size > INLINE_LIMIT_BYTES ? [index] : [])));
  let total = fixed + sizes.reduce((sum, size, index) => sum + (stored.has(index) ? REFERENCE_BYTES : size), 0);
  const bySize = sizes.map((size, index) => ({ size, index })).sort((a, b) => b.size - a.size);
  for (const { size, index } of bySize) {
    if (total <= EVENT_LIMIT_BYTES || size <= REFERENCE_BYTES) break;
    if (stored.has(index)) continue;
    stored.add(index);
    total -= size - REFERENCE_BYTES;
  }
  return Promise.all(
    calls.map(async (call, index) =>
      stored.has(index)
        ? { ...call, arguments: await store.putJsonIfLarge(call.arguments, { limit: 0, tenant, kind: 'arguments' }) }
        : call,
    ),
  );
}

const REFERENCE_BYTES = 256;
const jsonBytes = (value: Json): number => Buffer.byteLength(JSON.stringify(value));
