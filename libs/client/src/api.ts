import type {
  AcceptedRun,
  ApprovalPolicy,
  ArtifactRef,
  DeadLetterDetails,
  DeadLetterItem,
  DeliveryReport,
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
import { CURSOR_START } from '@toolstream/proto-events';
import type { CommandArguments } from './commands.ts';
import type { Http, HttpRequest } from './http.ts';
import { uniqueId } from './ids.ts';

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
export interface FileListing {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  /** Absent for what is no text. */
  readonly lines?: number;
  /** The attempt that wrote it last. */
  readonly run: string;
  readonly index: number;
  readonly attempt: number;
  readonly modified_at: string;
}
/** A content as it stood at a path. */
export interface ContentState {
  /** Hand it to `file` to read it; absent: it is not kept any more. */
  readonly version?: string;
  readonly size: number;
  readonly sha256: string;
  /** Absent for what is no text. */
  readonly lines?: number;
}
/** What one tool call did to one path. */
export interface FileChange {
  readonly path: string;
  readonly change: 'created' | 'changed' | 'renamed' | 'deleted';
  readonly run: string;
  readonly index: number;
  readonly attempt: number;
  readonly modified_at: string;
  readonly moved_from?: string;
  readonly before?: ContentState;
  readonly after?: ContentState;
  /** Where to read the versions: another path than `path` where the file was renamed since. */
  readonly held_at: string;
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

export function createApi(http: Http): Api {
  const get = <T>(path: string, query: HttpRequest['query'] = {}, options: RequestOptions = {}): Promise<T> =>
    http.json({ method: 'GET', path, query, ...options });
  const post = <T>(path: string, body: unknown, { idempotencyKey, ...options }: IdempotentOptions = {}): Promise<T> =>
    http.json({ method: 'POST', path, body, ...options, idempotencyKey: idempotencyKey ?? uniqueId() });
  const bytes = async (
    path: string,
    query: NonNullable<HttpRequest['query']>,
    options: RequestOptions,
  ): Promise<Uint8Array> => {
    const response = await http.send({ method: 'GET', path, query, accept: '*/*', ...options });
    return new Uint8Array(await response.arrayBuffer());
  };
  const runPath = (run: string): string => `/v1/runs/${encodeURIComponent(run)}`;

  return {
    submit: (request, options) => post('/v1/runs', request, options),
    get: (run, { minCursor, ...options } = {}) => get(runPath(run), { min_cursor: minCursor }, options),
    list: ({ status, minCursor, ...filter } = {}, options) =>
      get(
        '/v1/runs',
        { ...filter, min_cursor: minCursor, status: status === undefined ? undefined : [status].flat().join(',') },
        options,
      ),
    results: (run, format, options) => get(`${runPath(run)}/results`, { format }, options),
    tools: (options) => get('/v1/tools', {}, options),
    modelTools: (format, options) => get('/v1/tools', { format }, options),
    stats: (window, { buckets, ...options } = {}) => get('/v1/stats', { window, buckets }, options),
    delivery: (window, options) => get('/v1/delivery', { window }, options),
    files: (app, { prefix, after, limit, ...options } = {}) => get(filesPath(app), { prefix, after, limit }, options),
    file: (app, path, { version, ...options } = {}) =>
      bytes(`${filesPath(app)}/${path.split('/').map(encodeURIComponent).join('/')}`, { version }, options),
    fileVersions: (app, path, options) => get(`${appPath(app)}/versions`, { path }, options),
    runFiles: (run, options) => get(`${runPath(run)}/files`, {}, options),
    artifact: (run, { $ref: { artifact, ...proof } }, options = {}) =>
      bytes(`${runPath(run)}/artifacts/${encodeURIComponent(artifact)}`, proof, options),
    history: async (run, { cursor = CURSOR_START, ...options } = {}) => {
      const request = { method: 'GET', path: `${runPath(run)}/events`, query: { cursor }, ...options } as const;
      const response = await http.send({ ...request, accept: 'application/x-ndjson' });
      return response.body ?? new ReadableStream({ start: (controller) => controller.close() });
    },
    control: (run, command, { index, ...args } = {}, options) =>
      post(runPath(run) + controlPath(command, index), args, options),
    rerun: (run, { from, ...options } = {}) =>
      post(`${runPath(run)}/rerun`, from === undefined ? {} : { from }, options),
    ticket: (options) => post('/v1/tickets', {}, options),
    deadLetters: (filter = {}, options) => get('/v1/dlq', { ...filter }, options),
    deadLetter: (id, options) => get(dlqPath(id), {}, options),
    redrive: (id, { reason, ...options } = {}) =>
      post(`${dlqPath(id)}/redrive`, reason === undefined ? {} : { reason }, options),
  };
}

const dlqPath = (id: string): string => `/v1/dlq/${encodeURIComponent(id)}`;
const appPath = (app: string): string => `/v1/apps/${encodeURIComponent(app)}`;
const filesPath = (app: string): string => `${appPath(app)}/files`;

function controlPath(command: RunCommandName, index: number | undefined): string {
  if (command === 'pause' || command === 'resume' || command === 'cancel') return `/${command}`;
  if (index === undefined) throw new TypeError(`${command} needs the index of a tool call`);
  return `/tools/${index}/${command.slice(0, -'_tool'.length)}`;
}
