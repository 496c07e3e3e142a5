import { randomBytes } from 'node:crypto';
import {
  type Attributes,
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { asError } from './errors.ts';

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** W3C trace context. Anything malformed is `undefined`: a bad header starts a new trace, it never fails a request. */
export function parseTraceparent(text: string | undefined | null): SpanContext | undefined {
  const match = text ? TRACEPARENT.exec(text) : null;
  if (match === null) return undefined;
  const [, version, traceId, spanId, flags, more] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ];
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
}

export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;
}

/**
 * The given trace context (a header as it came), or a new one: a run keeps one trace id through all services even where
 * nothing exports spans.
 */
export function ensureTraceparent(incoming?: string | readonly string[] | null): string {
  const context = typeof incoming === 'string' ? parseTraceparent(incoming) : undefined;
  if (context !== undefined) return formatTraceparent(context);
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

/** The context whose children belong to `traceparent`. */
export function contextOf(traceparent: string | undefined | null): Context {
  const parent = parseTraceparent(traceparent);
  return parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
}

/** What to hand on from within `span`; `undefined` where there is neither a span nor a parent. */
export function traceparentOf(span: Span): string | undefined {
  const context = span.spanContext();
  return isSpanContextValid(context) ? formatTraceparent(context) : undefined;
}

export interface SpanOptions {
  readonly traceparent?: string | undefined;
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
}

/** Runs `work` in a span below `traceparent`; an error is recorded and thrown on. Costs next to nothing without an exporter. */
export async function inSpan<T>(
  tracer: Tracer,
  name: string,
  { traceparent, kind = SpanKind.INTERNAL, attributes = {} }: SpanOptions,
  work: (span: Span, traceparent: string | undefined) => T | Promise<T>,
): Promise<T> {
  const span = tracer.startSpan(name, { kind, attributes }, contextOf(traceparent));
  try {
    return await work(span, traceparentOf(span) ?? traceparent);
  } catch (thrown) {
    const error = asError(thrown);
    span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    throw thrown;
  } finally {
    span.end();
  }
}

export { SpanKind } from '@opentelemetry/api';
