import { StringDecoder } from 'node:string_decoder';
import type { Json } from '@toolstream/proto-events';
import { ToolFailure } from './failure.ts';
import { toolFetch } from './fetch/default.ts';
import type { ToolFetch } from './fetch/types.ts';
import { cleanText } from './output.ts';
import type { ProgressReport } from './progress.ts';
import type { ToolArtifacts, ToolWorkspace } from './stores.ts';

export const METRICS = ['bytes_written', 'files_created', 'lines_written', 'api_calls'] as const;
export type MetricName = (typeof METRICS)[number];
export type MetricCounts = { [N in MetricName]?: number };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Which call an attempt executes: plain data, so it crosses threads. */
export interface CallInfo {
  readonly app: string;
  readonly run: string;
  readonly index: number;
  readonly call_id: string;
  readonly tool: string;
  readonly attempt: number;
  /** What the last `checkpoint` of an earlier attempt kept. */
  readonly checkpoint?: Json | undefined;
  /** W3C trace context of the call, for services that the tool calls. */
  readonly traceparent?: string | undefined;
}

/**
 * What a context stands on: the executor itself for an inline tool, a message port for one in a thread or process.
 * Promises resolve when the tool may go on: they are its back-pressure, and how a paused run holds it.
 */
export interface ToolHost {
  progress(reports: ProgressReport[]): Promise<void>;
  output(channel: string, text: string): Promise<void>;
  checkpoint(state: Json): Promise<void>;
  count(counts: MetricCounts): void;
  log(level: LogLevel, message: string, fields?: { [key: string]: Json }): void;
  readonly workspace: ToolWorkspace;
  readonly artifacts: ToolArtifacts;
}

export interface ContextOptions {
  /** What `ctx.fetch` sends its requests with. Aborts and counts are the context's own business. */
  readonly fetch?: ToolFetch | undefined;
}

export interface ToolLog {
  debug(message: string, fields?: { [key: string]: Json }): void;
  info(message: string, fields?: { [key: string]: Json }): void;
  warn(message: string, fields?: { [key: string]: Json }): void;
  error(message: string, fields?: { [key: string]: Json }): void;
}

export interface ToolContext {
  readonly call: CallInfo;
  /** Counts from 1; more than 1: an earlier attempt failed, was lost or was handed back. */
  readonly attempt: number;
  readonly checkpointState: Json | undefined;
  /** Aborted on cancel, timeout, drain and loss of the attempt; its reason is a `ToolAborted`. Stop soon: what does not is terminated. */
  readonly signal: AbortSignal;
  /** As often as you like: the newest wins. Awaiting it lets a pause hold the tool here. */
  progress(report: ProgressReport): Promise<void>;
  /**
   * Await it: it resolves when there is room for more. Bytes are taken as UTF-8, cut wherever; what is none becomes U+FFFD,
   * as does NUL.
   */
  output(channel: string, data: string | Uint8Array): Promise<void>;
  /** Resolves when the state is in the log: the next attempt finds it as `checkpointState`. */
  checkpoint(state: Json): Promise<void>;
  readonly workspace: ToolWorkspace;
  readonly artifacts: ToolArtifacts;
  /**
   * As the platform's `fetch`, but guarded: see `guardedFetch`. Ends with the attempt, whatever signal it is given
   * besides, and counts as an `api_calls`.
   */
  readonly fetch: ToolFetch;
  readonly metrics: { add(name: MetricName, amount: number): void };
  readonly log: ToolLog;
}

/**
 * A tool need not await a report: what it does not await may fail (on an abort) without an unhandled rejection. A host
 * gives one promise to many reports: it is observed once, not once for each of a flood.
 */
function observer(): <T>(promise: Promise<T>) => Promise<T> {
  let last: Promise<unknown> | undefined;
  return (promise) => {
    if (promise !== last) promise.catch(() => {});
    last = promise;
    return promise;
  };
}

export function createContext(
  call: CallInfo,
  host: ToolHost,
  signal: AbortSignal,
  { fetch: send = toolFetch }: ContextOptions = {},
): ToolContext {
  const log = (level: LogLevel) => (message: string, fields?: { [key: string]: Json }) =>
    host.log(level, message, fields);
  const observed = observer();
  const decoders = new Map<string, StringDecoder>();
  const text = (channel: string, data: string | Uint8Array): string => {
    if (!(data instanceof Uint8Array)) return cleanText(data);
    const decoder = decoders.get(channel) ?? new StringDecoder('utf8');
    decoders.set(channel, decoder);
    return cleanText(decoder.write(data));
  };
  return {
    call,
    attempt: call.attempt,
    checkpointState: call.checkpoint,
    signal,
    progress: (report) => observed(host.progress([checkedReport(report)])),
    output: (channel, data) => observed(host.output(checkedChannel(channel), text(channel, data))),
    checkpoint: (state) => observed(host.checkpoint(state)),
    workspace: host.workspace,
    artifacts: host.artifacts,
    fetch: (input, init) => {
      host.count({ api_calls: 1 });
      const own = init?.signal ?? (input instanceof Request ? input.signal : undefined);
      return send(input, { ...init, signal: own ? AbortSignal.any([signal, own]) : signal });
    },
    metrics: { add: (name, amount) => host.count({ [name]: amount }) },
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
  };
}

/** Keeps a report within the contract: an unmeasured percentage is no percentage. */
export function checkedReport(report: ProgressReport): ProgressReport {
  const stage = String(report.stage).slice(0, 64);
  if (stage === '') throw new ToolFailure({ code: 'tool_error', message: 'A progress report needs a stage.' });
  const measured = typeof report.progress === 'number' && Number.isFinite(report.progress);
  return {
    stage,
    ...(report.message === undefined ? {} : { message: String(report.message).slice(0, 4096) }),
    ...(measured ? { progress: Math.min(100, Math.max(0, report.progress as number)) } : {}),
    ...(report.details === undefined ? {} : { details: report.details }),
  };
}

export function checkedChannel(channel: string): string {
  if (typeof channel === 'string' && channel !== '' && channel.length <= 32) return channel;
  throw new ToolFailure({ code: 'tool_error', message: 'An output channel has 1 to 32 characters.' });
}
