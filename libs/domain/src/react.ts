import {
  isRunEnded,
  type Job,
  jobId,
  type MessageLink,
  type RunState,
  type Timer,
  type ToolState,
  type ToolstreamEvent,
} from '@toolstream/proto-events';
import { abandonDue, runDeadline, runExpiry } from './deadlines.ts';
import { toMillis } from './time.ts';

/** What an event makes the shell do beside appending. Repeating one is harmless: ids are deterministic. */
export type Effect =
  | { readonly type: 'job'; readonly job: Job }
  | { readonly type: 'timer'; readonly timer: Timer }
  /** Wakes the executors that run this run's tools. */
  | { readonly type: 'signal'; readonly tenant: string; readonly run: string }
  /** Makes the run known as a message's, unless a newer one is. */
  | { readonly type: 'link'; readonly tenant: string; readonly message: string; readonly link: MessageLink };

/** The effects of an event, `state` being the fold that includes it (and perhaps what came after). */
export function react(state: RunState, event: ToolstreamEvent): Effect[] {
  if (event.type === 'run.accepted.v1') return [...link(state), ...(isRunEnded(state.status) ? [] : [expiry(state)])];
  if (isRunEnded(state.status)) return [];
  const tool = event.toolindex === undefined ? undefined : state.tools[event.toolindex];
  switch (event.type) {
    case 'run.started.v1':
      return runTimeout(state);
    case 'run.resumed.v1':
      return [signal(state), ...runTimeout(state), ...state.tools.flatMap((t) => approvalTimer(state, t))];
    case 'run.paused.v1':
      return [signal(state)];
    case 'run.cancel_requested.v1':
      return state.cancel ? [signal(state), timer(state, 'abandon', abandonDue(state.cancel.requested_at))] : [];
    case 'tool.cancel_requested.v1':
      return tool?.cancel ? [signal(state), abandon(state, tool, tool.cancel.requested_at)] : [];
    case 'tool.queued.v1':
      return tool && isWaitingForClaim(tool) && tool.dispatch === event.data.dispatch ? [job(state, tool)] : [];
    case 'tool.retry_scheduled.v1':
      return tool ? retry(state, tool) : [];
    case 'tool.approval_requested.v1':
      return tool ? approvalTimer(state, tool) : [];
    default:
      return [];
  }
}

/**
 * Every effect that the present state still waits for: what a sweep or a restart performs again. A link is none of them:
 * the run waits for nothing from it, `run.accepted` is not acknowledged before it is stored, and to see whether it is there
 * would take a read per run and sweep.
 */
export function outstanding(state: RunState): Effect[] {
  if (isRunEnded(state.status)) return [];
  const held = state.tools.some((tool) => tool.status === 'running');
  const run: Effect[] = [expiry(state), ...runTimeout(state)];
  if (held && (state.status === 'paused' || state.status === 'cancelling' || state.tools.some((tool) => tool.cancel))) {
    run.push(signal(state));
  }
  if (held && state.cancel) run.push(timer(state, 'abandon', abandonDue(state.cancel.requested_at)));
  const tools = state.tools.flatMap((tool): Effect[] => {
    if (isWaitingForClaim(tool)) return [job(state, tool)];
    if (tool.status === 'running' && tool.cancel) return [abandon(state, tool, tool.cancel.requested_at)];
    return [...retry(state, tool), ...approvalTimer(state, tool)];
  });
  return [...run, ...tools];
}

/** Whether later events have not yet made an effect pointless. Who watches a message sees its run also after the end. */
export function isOutstanding(state: RunState, effect: Effect): boolean {
  if (effect.type === 'link') return true;
  if (isRunEnded(state.status)) return false;
  if (effect.type === 'job') {
    const tool = state.tools[effect.job.index];
    return tool !== undefined && isWaitingForClaim(tool) && tool.dispatch === effect.job.dispatch;
  }
  if (effect.type === 'timer' && effect.timer.kind === 'retry') {
    const tool = state.tools[effect.timer.index ?? -1];
    return tool?.status === 'retrying' && tool.failures === effect.timer.failures;
  }
  if (effect.type === 'timer' && effect.timer.kind === 'approval') {
    const tool = state.tools[effect.timer.index ?? -1];
    return tool?.status === 'awaiting_approval' && tool.approval?.expires_at === effect.timer.due_at;
  }
  return true;
}

/** Names an effect for bookkeeping: equal for repetitions, different for everything else. */
export function effectId(effect: Effect): string | undefined {
  switch (effect.type) {
    case 'job':
      return effect.job.job_id;
    case 'timer':
      return effect.timer.id;
    case 'link':
      return `${effect.link.run}_link`;
    case 'signal':
      return undefined;
  }
}

const isWaitingForClaim = (tool: ToolState): boolean =>
  tool.status === 'queued' && tool.claimed_dispatch < tool.dispatch;

function job(state: RunState, tool: ToolState): Effect {
  return {
    type: 'job',
    job: {
      job_id: jobId(state.run_id, tool.index, tool.dispatch),
      tenant: state.tenant,
      app: state.app,
      run: state.run_id,
      index: tool.index,
      call_id: tool.call_id,
      name: tool.name,
      pool: tool.pool,
      priority: state.priority,
      dispatch: tool.dispatch,
      attempt: tool.attempt + 1,
      tool_seq: tool.tool_seq,
      run_seq: state.run_seq,
      queued_at: tool.queued_at ?? state.accepted_at,
      arguments: tool.arguments,
      timeout_ms: tool.timeout_ms,
      idempotent: tool.idempotent,
      isolation: tool.isolation,
      ...(tool.pause === undefined ? {} : { pause: tool.pause }),
      ...(tool.checkpoint === undefined ? {} : { checkpoint: tool.checkpoint }),
      ...(state.traceparent === undefined ? {} : { traceparent: state.traceparent }),
    },
  };
}

const signal = (state: RunState): Effect => ({ type: 'signal', tenant: state.tenant, run: state.run_id });

const expiry = (state: RunState): Effect => timer(state, 'run_expiry', runExpiry(state));

function link({ tenant, message_id, run_id, app, accepted_at }: RunState): Effect[] {
  if (message_id === undefined) return [];
  return [{ type: 'link', tenant, message: message_id, link: { run: run_id, app, accepted_at } }];
}

function timer(
  state: RunState,
  kind: Timer['kind'],
  due_at: string,
  of?: { index: number; failures?: number },
): Effect {
  // A paused and resumed run gets a timer of its own for what is left of its time.
  const suffix = kind === 'run_timeout' ? `${kind}_${state.marks.resume ?? 0}` : kind;
  const id = of ? `${state.run_id}_${of.index}_${suffix}_${of.failures ?? 0}` : `${state.run_id}_${suffix}`;
  return { type: 'timer', timer: { id, kind, tenant: state.tenant, app: state.app, run: state.run_id, ...of, due_at } };
}

function runTimeout(state: RunState): Effect[] {
  const due = runDeadline(state);
  return due === undefined ? [] : [timer(state, 'run_timeout', due)];
}

const abandon = (state: RunState, tool: ToolState, requestedAt: string): Effect =>
  timer(state, 'abandon', abandonDue(requestedAt), { index: tool.index });

function retry(state: RunState, tool: ToolState): Effect[] {
  if (tool.status !== 'retrying' || tool.retry_at === undefined) return [];
  return [timer(state, 'retry', tool.retry_at, { index: tool.index, failures: tool.failures })];
}

/** None while the run is paused: the resume moves the expiry and sets a timer anew. The id names the expiry. */
function approvalTimer({ run_id: run, tenant, app, status }: RunState, tool: ToolState): Effect[] {
  const due_at = tool.approval?.expires_at;
  if (tool.status !== 'awaiting_approval' || due_at === undefined || status !== 'running') return [];
  const id = `${run}_${tool.index}_approval_${toMillis(due_at).toString(36)}`;
  return [{ type: 'timer', timer: { id, kind: 'approval', tenant, app, run, index: tool.index, due_at } }];
}
