import type { InputRequest, Json, ToolError } from '@toolstream/proto-events';
import { type CallInfo, createContext, type MetricCounts } from '../context.ts';
import { type AbortKind, inputRequestOf, isToolFailure, ToolAborted } from '../failure.ts';
import type { ToolFetch } from '../fetch/types.ts';
import type { ProgressReport } from '../progress.ts';
import type { Tool } from '../tool.ts';
import { MemoryArtifacts } from './memory-artifacts.ts';
import { MemoryWorkspace } from './memory-workspace.ts';
import { type LogLine, TestHost } from './test-host.ts';

export interface TestOptions {
  /** Files that are there, by path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** In place of `files`: the workspace that an earlier attempt or call left. */
  readonly workspace?: MemoryWorkspace;
  readonly artifacts?: MemoryArtifacts;
  /** Default 1. Another attempt of the same call has the same run and index. */
  readonly attempt?: number;
  /** What an earlier attempt kept. */
  readonly checkpoint?: Json;
  readonly call?: Partial<CallInfo>;
  /** Answers the tool's requests. Without it there is no network. */
  readonly fetch?: (request: Request) => Response | Promise<Response>;
  /** Default: the tool's own. */
  readonly timeoutMs?: number;
  /** How long a tool that was asked to stop may take, before the test is told that it does not. Default 1,000. */
  readonly graceMs?: number;
}

/** How the attempt ends, in the words of the event that would be appended. */
export type TestEnd =
  | { readonly status: 'succeeded'; readonly result: Json }
  | { readonly status: 'failed'; readonly error: ToolError; readonly retryable: boolean }
  | { readonly status: 'cancelled' }
  | { readonly status: 'released'; readonly reason: 'drain' | 'paused' }
  /** A person is asked; approved, the next attempt runs with what was approved. */
  | { readonly status: 'released'; readonly reason: 'input'; readonly request: InputRequest }
  /** It was asked to stop and did not; an executor would have ended its thread or process. */
  | { readonly status: 'terminated'; readonly asked: AbortKind };

/** One attempt of one call, running from the moment it is made. */
export interface TestRun {
  /** Never rejects. */
  readonly end: Promise<TestEnd>;
  /** The result; rejects with what the tool threw, or because of what it did not do. */
  readonly result: Promise<Json>;
  /** Every report; an executor would make at most 30 events a second of them. */
  readonly progress: readonly ProgressReport[];
  readonly checkpoints: readonly Json[];
  readonly metrics: Readonly<MetricCounts>;
  readonly logs: readonly LogLine[];
  readonly requests: readonly Request[];
  readonly workspace: MemoryWorkspace;
  readonly artifacts: MemoryArtifacts;
  /** What was written to a channel, or to all of them. */
  output(channel?: string): string;
  /** Does a pause hold the tool at this moment? */
  readonly isHeld: boolean;
  /** Resolves when what was reported so far satisfies the test; rejects if the attempt ends before it does. */
  until(condition: (run: TestRun) => boolean): Promise<void>;
  pause(): void;
  resume(): void;
  /** Asks the tool to stop. Default: as when a person cancels. */
  abort(kind?: AbortKind): void;
}

const CALL: CallInfo = { app: 'test', run: '0-test', index: 0, call_id: 'call-0', tool: 'test', attempt: 1 };

/** Runs a tool as an executor would, without servers. */
export function testTool(tool: Tool, args: Json, options: TestOptions = {}): TestRun {
  const { attempt = 1, checkpoint, timeoutMs = tool.timeoutMs, graceMs = 1000 } = options;
  const call: CallInfo = { ...CALL, tool: tool.name, attempt, checkpoint, ...options.call };
  const workspace = options.workspace ?? new MemoryWorkspace(options.files);
  const artifacts = options.artifacts ?? new MemoryArtifacts();
  const requests: Request[] = [];
  const watchers = new Set<() => void>();
  const abort = new AbortController();
  const host = new TestHost(workspace.at(call), artifacts, () => {
    for (const look of watchers) look();
  });

  let asked: ToolAborted | undefined;
  let tooLate = (_: ToolAborted): void => {};
  const terminated = new Promise<{ asked: ToolAborted }>((resolve) => {
    tooLate = (reason) => resolve({ asked: reason });
  });
  let graceTimer: NodeJS.Timeout | undefined;
  const stop = (kind: AbortKind, message: string) => {
    if (asked) return;
    const reason = new ToolAborted(kind, message);
    asked = reason;
    host.stop(reason);
    abort.abort(reason);
    graceTimer = setTimeout(() => tooLate(reason), graceMs);
  };
  const deadline = setTimeout(() => stop('timeout', `Ran longer than ${timeoutMs} ms.`), timeoutMs);

  const context = createContext(call, host, abort.signal, { fetch: fakeFetch(options.fetch, requests) });
  const invoked = Promise.resolve()
    .then(() => tool.invoke(context, structuredClone(args)))
    .then(
      (result) => ({ result }),
      (thrown: unknown) => ({ thrown }),
    );
  const settled = Promise.race([invoked, terminated]).then((outcome) => {
    clearTimeout(deadline);
    clearTimeout(graceTimer);
    host.stop(new ToolAborted('fenced', 'The attempt has ended.'));
    return outcome;
  });
  const end = settled.then((outcome) => endOf(outcome, asked, tool.idempotent));
  const result = settled.then((outcome) => {
    if ('result' in outcome) return outcome.result;
    if ('thrown' in outcome) throw outcome.thrown;
    throw new Error(`The tool was asked to stop (${outcome.asked.kind}) and did not within ${graceMs} ms.`);
  });
  result.catch(() => {});

  const run: TestRun = {
    end,
    result,
    progress: host.reports,
    checkpoints: host.checkpoints,
    metrics: host.counts,
    logs: host.lines,
    requests,
    workspace,
    artifacts,
    output: (channel) =>
      host.chunks
        .filter((chunk) => channel === undefined || chunk.channel === channel)
        .map(({ text }) => text)
        .join(''),
    get isHeld() {
      return host.isHeld;
    },
    until: (condition) =>
      new Promise<void>((resolve, reject) => {
        const look = () => {
          if (!condition(run)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
        void end.then(({ status }) => {
          look();
          if (watchers.delete(look)) reject(new Error(`The attempt ended (${status}) before the condition held.`));
        });
      }),
    pause: () => host.pause(),
    resume: () => host.resume(),
    abort: (kind = 'cancel') => stop(kind, `The test asked for it: ${kind}.`),
  };
  return run;
}

/** With the platform's manners: a signal ends it, whatever the answering function does. */
function fakeFetch(answer: TestOptions['fetch'], requests: Request[]): ToolFetch {
  return async (input, init) => {
    const request = new Request(input as Request, init);
    requests.push(request);
    request.signal.throwIfAborted();
    if (!answer) throw new TypeError(`There is no network in a test; pass \`fetch\` to answer ${request.url}.`);
    const aborted = new Promise<never>((_, reject) => {
      request.signal.addEventListener('abort', () => reject(request.signal.reason as Error), { once: true });
    });
    // An answer that throws at once must not leave the abort unheard.
    return Promise.race([Promise.resolve(request).then(answer), aborted]);
  };
}

function endOf(
  outcome: { result: Json } | { thrown: unknown } | { asked: ToolAborted },
  asked: ToolAborted | undefined,
  idempotent: boolean,
): TestEnd {
  if ('asked' in outcome) return { status: 'terminated', asked: outcome.asked.kind };
  if (asked?.kind === 'cancel') return { status: 'cancelled' };
  if (asked?.kind === 'timeout') {
    return { status: 'failed', error: { code: 'timeout', message: asked.message }, retryable: idempotent };
  }
  // Work that was finished although it was asked to stop is not thrown away.
  if ('result' in outcome) return { status: 'succeeded', result: outcome.result };
  if (asked?.kind === 'drain' || asked?.kind === 'paused') return { status: 'released', reason: asked.kind };
  const { thrown } = outcome;
  const request = inputRequestOf(thrown);
  if (request) return { status: 'released', reason: 'input', request };
  if (isToolFailure(thrown)) {
    const { code, message, details, retryable } = thrown;
    return { status: 'failed', error: { code, message, ...(details === undefined ? {} : { details }) }, retryable };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { status: 'failed', error: { code: 'tool_error', message }, retryable: idempotent };
}
