import { isRunId, parseCursor, type RunAddress, type RunState } from '@toolstream/proto-events';
import { ensureTraceparent } from '@toolstream/service-kit';
import { adminOf, requireScope } from '../auth/principal.ts';
import { runOf } from '../handlers/access.ts';
import type { Call } from '../handlers/route.ts';
import { invalid, Refusal } from '../problems.ts';
import { commandId } from '../requests/idempotency.ts';
import type { Services } from '../services.ts';
import { approvalId, parseApprovalId } from '../translation/tool-view.ts';
import type { ResumeEntry } from './input.ts';
import { type AnswerPayload, answerPayload } from './interrupts.ts';

export interface Resumed {
  readonly address: RunAddress;
  /** The last sequence that an answer made: what the stream says about approvals must be newer. */
  readonly since: number;
  /** Entries that answer nothing that is open: they are not ours, or were answered before. */
  readonly ignored: readonly string[];
}

/** Answers that came too late: what holds is in the stream. */
const SETTLED: ReadonlySet<string> = new Set(['not_awaiting_approval', 'tool_ended', 'run_ended']);

/**
 * Carries out the answers to interrupts. Repeating a request repeats nothing: an approval that is decided already is left
 * as it is. `undefined`: no entry is about a run of ours.
 */
export async function resumeRun(
  services: Services,
  call: Pick<Call, 'principal' | 'request'>,
  entries: readonly ResumeEntry[],
): Promise<Resumed | undefined> {
  const answers = entries.map((entry) => ({
    entry,
    about: parseApprovalId(entry.interruptId),
    payload: payloadOf(entry),
  }));
  const ours = answers.filter(({ about }) => about !== undefined && isRunId(about.run));
  const runs = new Set(ours.map(({ about }) => about!.run));
  if (runs.size > 1)
    throw new Refusal('invalid', 'resume: the entries are about several runs; answer one run at a time.');
  const [run] = runs;
  if (run === undefined) return undefined;
  const address = await runOf(services, call.principal, run);
  requireScope(call.principal, 'runs:control');

  const ignored = answers.filter((answer) => !ours.includes(answer)).map(({ entry }) => entry.interruptId);
  const state = await services.reader.read(address);
  let since = 0;
  for (const { entry, about, payload } of ours) {
    const seq = await answer(services, call, state, about!.index, entry.interruptId, payload);
    if (seq === undefined) ignored.push(entry.interruptId);
    else since = Math.max(since, seq);
  }
  return { address, since, ignored };
}

/** `cancelled` means that nobody answered and nobody will: the call does not run. */
function payloadOf({ interruptId, status, payload }: ResumeEntry): AnswerPayload {
  if (status === 'cancelled') return { approved: false, reason: 'The request for an approval was dismissed.' };
  const parsed = answerPayload.safeParse(payload);
  if (!parsed.success) throw invalid(parsed.error, `resume ${interruptId} payload`);
  return parsed.data;
}

/** The sequence of the event that records the answer; `undefined` where the approval is not open. */
async function answer(
  { orchestrator, artifacts }: Services,
  { principal, request }: Pick<Call, 'principal' | 'request'>,
  state: RunState | undefined,
  index: number,
  interrupt: string,
  { approved, editedArgs, reason }: AnswerPayload,
): Promise<number | undefined> {
  const tool = state?.tools[index];
  if (!state || tool?.status !== 'awaiting_approval' || approvalId(state, tool) !== interrupt) return undefined;
  const { tenant, run_id: run } = state;
  const name = approved ? 'approve_tool' : 'deny_tool';
  const asked = {
    tenant,
    actor: principal.sub,
    ...adminOf(principal),
    traceparent: ensureTraceparent(request.headers.traceparent),
    run,
    index,
    command_id: commandId(name, index, principal.sub, `agui:${interrupt}`),
    ...(reason == null ? {} : { reason }),
  };
  const edited = approved && editedArgs != null;
  const args = edited
    ? await artifacts.putJsonIfLarge(editedArgs as never, { tenant, run, kind: 'arguments' })
    : undefined;
  try {
    const cursor = await orchestrator.command(
      approved
        ? { name: 'approve_tool', ...asked, ...(args === undefined ? {} : { arguments: args }) }
        : { name: 'deny_tool', ...asked },
    );
    return parseCursor(cursor)?.seq ?? 0;
  } catch (error) {
    if (error instanceof Refusal && SETTLED.has(error.code)) return undefined;
    throw error;
  }
}
