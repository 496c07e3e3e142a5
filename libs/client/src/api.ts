import type {
  AcceptedRun,
  ApprovalPolicy,
  ArtifactRef,
  DeadLetterDetails,
  DeadLetterItem,
  DeliveryReport,
  FileChange,
  FileListing,
  Isolation,
  Json,
  Priority,
  Redriven,
  RetryPolicy,
  RunCommandName,
  RunListItem,
  RunSnapshot,
  RunStatus,
  StatsQueryReply,
  WireCall,
} from '@toolstream/proto-events';
import type { CommandArguments } from './commands.ts';
import type { Http } from './http.ts';

export interface SubmitRequest {
  readonly app: string;
  readonly message_id?: string | number;
  readonly mode?: 'sequential' | 'parallel';
  readonly priority?: Priority;
  readonly tool_calls: readonly WireCall[];
}
export interface RequestOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds for the request with all its repetitions. Default: 30 s. */
  readonly timeoutMs?: number;
}
export interface IdempotentOptions extends RequestOptions {
  /** Made up when absent, which covers repetitions within this call; give your own to cover your process's end. */
  readonly idempotencyKey?: string;
}
export interface RunFilter {
  readonly app?: string;
  readonly status?: RunStatus | readonly RunStatus[];
  readonly message_id?: string | number;
  /** Runs with a call of this tool. */
  readonly tool?: string;
  /** Accepted at this time or later, and before the other: RFC 3339. */
  readonly since?: string;
  readonly until?: string;
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly before?: string;
  /** Wait until the list has what happened up to here. */
  readonly minCursor?: string;
}
export interface ToolListing {
  readonly name: string;
  readonly description: string;
  readonly pool: string;
  readonly input_schema: { [key: string]: Json };
  readonly idempotent: boolean;
  readonly destructive: boolean;
  readonly approval: ApprovalPolicy;
  readonly timeout_ms: number;
  /** Where its code runs: on the executor's own loop, in a thread, or in a process of its own. */
  readonly isolation?: Isolation;
  readonly retries?: RetryPolicy;
}
/** Tools over the window, and how long an event takes from the log to a client, as the edge measured it last. */
export type Stats = StatsQueryReply & {
  readonly delivery: { readonly samples: number; readonly p50_ms: number | null; readonly p95_ms: number | null };
};
export type ResultsFormat = 'openai' | 'openai-responses' | 'anthropic' | 'native';
export type ModelToolFormat = Exclude<ResultsFormat, 'native'>;

/** The HTTP interface, one method a route. */
export interface Api {
  submit(request: SubmitRequest, options?: IdempotentOptions): Promise<AcceptedRun>;
  get(run: string, options?: RequestOptions & { minCursor?: string }): Promise<RunSnapshot>;
  list(filter?: RunFilter, options?: RequestOptions): Promise<{ runs: RunListItem[]; next?: string }>;
  results(run: string, format: ResultsFormat, options?: RequestOptions): Promise<{ format: string; messages: Json[] }>;
  tools(options?: RequestOptions): Promise<{ tools: ToolListing[] }>;
  /** The tools as a model's API takes them in its `tools` parameter. */
  modelTools(format: ModelToolFormat, options?: RequestOptions): Promise<{ tools: Json[] }>;
  /** Over a window as `1h`; with `buckets` (1–60) also each tool's trend and failures. */
  stats(window?: string, options?: RequestOptions & { buckets?: number }): Promise<Stats>;
  /** How delivery went at all edges, over a window from `10s` to `1h`. For tokens with the scope `admin`. */
  delivery(window?: string, options?: RequestOptions): Promise<DeliveryReport>;
  files(
    app: string,
    options?: RequestOptions & { prefix?: string; after?: string; limit?: number },
  ): Promise<{ files: FileListing[]; next?: string }>;
  /** The file's content, or with `version` one that it had. */
  file(app: string, path: string, options?: RequestOptions & { version?: string }): Promise<Uint8Array>;
  /** What was done to a path, newest first. */
  fileVersions(app: string, path: string, options?: RequestOptions): Promise<{ versions: FileChange[] }>;
  /** What each call of a run did to the app's files, in order of the paths, of each the oldest first. */
  runFiles(run: string, options?: RequestOptions): Promise<{ changes: FileChange[]; more: boolean }>;
  /** What a `$ref` in a run's arguments, results or output stands for. */
  artifact(run: string, ref: ArtifactRef, options?: RequestOptions): Promise<Uint8Array>;
  /**
   * Every event so far, or so far behind `cursor`: an `event` frame a line, the bytes as the service sends them. One that is
   * cut off on the way fails where it is read.
   */
  history(run: string, options?: RequestOptions & { cursor?: string }): Promise<ReadableStream<Uint8Array>>;
  /** A command on the run, or with `index` on one of its tool calls, over HTTP. */
  control(
    run: string,
    command: RunCommandName,
    args?: CommandArguments,
    options?: IdempotentOptions,
  ): Promise<{ cursor: string }>;
  rerun(run: string, options?: IdempotentOptions & { from?: number }): Promise<AcceptedRun>;
  ticket(options?: RequestOptions): Promise<{ ticket: string; expires_at: string }>;
  /** Jobs that died of being delivered too often. Like the two below, for tokens with the scope `admin`. */
  deadLetters(
    filter?: { app?: string; limit?: number; before?: string },
    options?: RequestOptions,
  ): Promise<{ entries: DeadLetterItem[]; next?: string }>;
  deadLetter(id: string, options?: RequestOptions): Promise<DeadLetterDetails>;
  /** Runs its call again, once: every later redrive is answered with what the first led to. */
  redrive(id: string, options?: IdempotentOptions & { reason?: string }): Promise<Redriven & { id: string }>;
}

/** Everything else in it goes into the query. */
interface Question extends RequestOptions {
  readonly minCursor?: string;
  readonly [name: string]: unknown;
}

export function createApi(http: Http, uniqueId: () => string): Api {
  const asked = ({ signal, timeoutMs, minCursor, ...query }: Question = {}) =>
    ({ method: 'GET', query: { ...query, min_cursor: minCursor }, signal, timeoutMs }) as const;
  const get = <T>(path: string, question?: Question): Promise<T> => http.json({ ...asked(question), path });
  const bytes = async (path: string, question: Question): Promise<Uint8Array> => {
    const response = await http.send({ ...asked(question), path, accept: '*/*' });
    return new Uint8Array(await response.arrayBuffer());
  };
  const post = <T>(path: string, body: object, options: IdempotentOptions = {}): Promise<T> => {
    const { signal, timeoutMs, idempotencyKey = uniqueId() } = options;
    return http.json({ method: 'POST', path, body, signal, timeoutMs, idempotencyKey });
  };

  return {
    submit: (request, options) => post('/v1/runs', request, options),
    get: (run, options) => get(at`/v1/runs/${run}`, { ...options }),
    list: ({ status, ...filter } = {}, options) =>
      get('/v1/runs', { ...filter, status: status && [status].flat().join(','), ...options }),
    results: (run, format, options) => get(at`/v1/runs/${run}/results`, { format, ...options }),
    tools: (options) => get('/v1/tools', { ...options }),
    modelTools: (format, options) => get('/v1/tools', { format, ...options }),
    stats: (window, options) => get('/v1/stats', { window, ...options }),
    delivery: (window, options) => get('/v1/delivery', { window, ...options }),
    files: (app, options) => get(at`/v1/apps/${app}/files`, { ...options }),
    file: (app, path, options) =>
      bytes(`${at`/v1/apps/${app}/files`}/${path.split('/').map(encodeURIComponent).join('/')}`, { ...options }),
    fileVersions: (app, path, options) => get(at`/v1/apps/${app}/versions`, { path, ...options }),
    runFiles: (run, options) => get(at`/v1/runs/${run}/files`, { ...options }),
    artifact: (run, { $ref: { artifact, ...proof } }, options) =>
      bytes(at`/v1/runs/${run}/artifacts/${artifact}`, { ...proof, ...options }),
    history: async (run, options) => {
      const request = { ...asked({ ...options }), path: at`/v1/runs/${run}/events` };
      const response = await http.send({ ...request, accept: 'application/x-ndjson' });
      return response.body ?? new ReadableStream({ start: (controller) => controller.close() });
    },
    control: (run, command, { index, ...args } = {}, options) =>
      post(at`/v1/runs/${run}` + controlPath(command, index), args, options),
    rerun: (run, { from, ...options } = {}) => post(at`/v1/runs/${run}/rerun`, { from }, options),
    ticket: (options) => post('/v1/tickets', {}, options),
    deadLetters: (filter, options) => get('/v1/dlq', { ...filter, ...options }),
    deadLetter: (id, options) => get(at`/v1/dlq/${id}`, { ...options }),
    redrive: (id, { reason, ...options } = {}) => post(at`/v1/dlq/${id}/redrive`, { reason }, options),
  };
}

/** A path as it is documented; what is put in is encoded. */
const at = (parts: TemplateStringsArray, ...names: string[]): string =>
  String.raw({ raw: parts }, ...names.map(encodeURIComponent));

function controlPath(command: RunCommandName, index: number | undefined): string {
  if (command === 'pause' || command === 'resume' || command === 'cancel') return `/${command}`;
  if (index === undefined) throw new TypeError(`${command} needs the index of a tool call`);
  return `/tools/${index}/${command.slice(0, -'_tool'.length)}`;
}
