import { runIdOfKey } from '@toolstream/event-log';
import { isToken, parseCursor, type RunAddress } from '@toolstream/proto-events';
import { requireApp, requireScope } from '../auth/principal.ts';
import { runOf } from '../handlers/access.ts';
import type { Call } from '../handlers/route.ts';
import { Refusal } from '../problems.ts';
import { sha256 } from '../requests/json.ts';
import { parseSubmission } from '../requests/submission.ts';
import { submitRun } from '../requests/submit.ts';
import type { Services } from '../services.ts';
import type { Conversation } from './conversation.ts';
import type { RunAgentInput } from './input.ts';
import { resumeRun } from './resume.ts';

/** The run that a request is about; none where only the caller's own tools have something to do. */
export interface Attached {
  readonly address: RunAddress | undefined;
  /** Calls that are the caller's own to answer. */
  readonly pending: readonly string[];
  readonly since: number;
  readonly ignored: readonly string[];
}

type Caller = Pick<Call, 'principal' | 'request'>;

/**
 * Finds the run of a request, or submits it. In this order: the run whose interrupts it answers, the run that it names, the
 * run of an earlier request with the same thread and `runId`, that of its `parentRunId` if it holds these calls, a new run.
 */
export async function attach(
  services: Services,
  call: Caller,
  input: RunAgentInput,
  { unanswered, message }: Conversation,
): Promise<Attached> {
  const own = callersOwn(services, input);
  const pending = unanswered.filter((asked) => own.has(asked.function.name)).map(({ id }) => id);
  const calls = unanswered.filter(({ id }) => !pending.includes(id));
  const found = { pending, since: 0, ignored: [] as readonly string[] };
  const resumed = await resumeRun(services, call, input.resume ?? []);
  if (resumed) return { ...found, ...resumed };
  const ignored = (input.resume ?? []).map(({ interruptId }) => interruptId);
  const named = input.forwardedProps?.toolstream?.run;
  if (named !== undefined) return { ...found, ignored, address: await runOf(services, call.principal, named) };

  const app = appOf(input);
  requireApp(call.principal, app);
  const ids = calls.map(({ id }) => id);
  const earlier =
    (await runOfRequest(services, call, app, input)) ?? (await runOfParent(services, call, app, input, ids));
  if (earlier) return { ...found, ignored, address: earlier };
  if (calls.length === 0) {
    if (pending.length > 0) return { ...found, ignored, address: undefined };
    throw new Refusal(
      'invalid',
      'messages: the newest assistant message has no tool call without a result; send the message with the calls to run.',
    );
  }
  requireScope(call.principal, 'runs:write');
  const { mode, priority } = input.forwardedProps?.toolstream ?? {};
  const submission = parseSubmission({
    app,
    ...(isToken(message) ? { message_id: message } : {}),
    ...(mode === undefined ? {} : { mode }),
    ...(priority === undefined ? {} : { priority }),
    tool_calls: calls,
  });
  const { principal, request } = call;
  const { run } = await submitRun(
    services,
    { principal, request, key: keyOf(input.threadId, input.runId) },
    submission,
  );
  const address = { tenant: principal.tenant, app, run: run.run_id };
  return { ...found, ignored, address, since: parseCursor(run.cursor)?.seq ?? 0 };
}

/** Tools that the caller brings and no executor serves. One that an executor serves is run there, whoever else knows it. */
function callersOwn({ tools }: Services, input: RunAgentInput): ReadonlySet<string> {
  const names = (input.tools ?? []).map(({ name }) => name);
  return new Set(names.filter((name) => tools.find(name) === undefined));
}

function appOf({ threadId, forwardedProps }: RunAgentInput): string {
  const app = forwardedProps?.toolstream?.app ?? threadId;
  if (isToken(app)) return app;
  const help =
    'forwardedProps.toolstream.app: name the app; the threadId is none (1 to 64 characters of A-Z a-z 0-9 _ -).';
  throw new Refusal('invalid', help, { fields: [{ path: 'forwardedProps.toolstream.app', message: 'is required' }] });
}

/** One key per thread and `runId`: the request repeated finds the run of the first one, whichever edge it comes to. */
const keyOf = (threadId: string, runId: string): string => `agui:${sha256(JSON.stringify([threadId, runId]))}`;

function runOfRequest(
  { reader, log }: Services,
  { principal }: Caller,
  app: string,
  { threadId, runId }: Pick<RunAgentInput, 'threadId' | 'runId'>,
): Promise<RunAddress | undefined> {
  const { tenant } = principal;
  return reader.locate(tenant, runIdOfKey({ tenant, app, key: keyOf(threadId, runId) }, log.partitions));
}

/** A client that continues under a `runId` of its own must not run its calls twice. */
async function runOfParent(
  services: Services,
  call: Caller,
  app: string,
  { threadId, parentRunId }: RunAgentInput,
  calls: readonly string[],
): Promise<RunAddress | undefined> {
  if (parentRunId == null || calls.length === 0) return undefined;
  const address = await runOfRequest(services, call, app, { threadId, runId: parentRunId });
  const state = address && (await services.reader.read(address));
  const holds = new Set(state?.tools.map((tool) => tool.call_id));
  return calls.every((id) => holds.has(id)) ? address : undefined;
}
