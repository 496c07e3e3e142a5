import { isToolEnded, type RunState, type ToolState, type ToolStatus } from '@toolstream/proto-events';

/**
 * What a call is doing. `waiting`: for its turn; `queued`: for an executor; `paused`: held by, or handed back for, a pause of
 * the run; `approval`: for a person; `retry`: for the next attempt's time.
 */
export type SpanKind = 'waiting' | 'queued' | 'running' | 'paused' | 'approval' | 'retry';

/** How a span ended, where that is more than a step on the way: the call's end, or that of one of its attempts. */
export type SpanOutcome =
  | Extract<ToolStatus, 'succeeded' | 'failed' | 'cancelled' | 'skipped' | 'denied'>
  | 'handed back'
  | 'replaced';

export interface Span {
  readonly call: number;
  readonly kind: SpanKind;
  /** The attempt that runs, or that this leads to. */
  readonly attempt: number;
  readonly dispatch: number;
  readonly from: number;
  /** Absent while it lasts. */
  to?: number;
  /** Index of the event that began it, and of the one that ended it. */
  readonly first: number;
  last?: number;
  outcome?: SpanOutcome;
}

/** Until now, while it lasts. */
export const endOf = ({ from, to }: Pick<Span, 'from' | 'to'>, now: number): number => to ?? Math.max(from, now);

export interface Band {
  readonly kind: 'paused' | 'cancelling';
  readonly from: number;
  to?: number;
  readonly first: number;
  last?: number;
}

/**
 * The bars of a run: for each call the spans of its life, from the run's acceptance to the call's end, one after the other.
 * They are read off the folded states, so an event that the fold ignores (a replaced attempt's) moves no bar. Within a call
 * time never runs back, whatever its writers' clocks say: a span begins where the one before it ended.
 */
export class Spans {
  readonly calls: Span[][] = [];
  readonly bands: Band[] = [];
  #begin = Number.POSITIVE_INFINITY;
  #end = Number.NEGATIVE_INFINITY;

  /** From the first event to the last; `undefined` before there is one. */
  get extent(): { readonly from: number; readonly to: number } | undefined {
    return this.#begin <= this.#end ? { from: this.#begin, to: this.#end } : undefined;
  }

  /** An event took the run from one state to the next. */
  apply(before: RunState | undefined, after: RunState, time: number, index: number): void {
    this.#begin = Math.min(this.#begin, time);
    this.#end = Math.max(this.#end, time);
    this.#band('paused', after.paused_at !== undefined, time, index);
    this.#band('cancelling', after.status === 'cancelling', time, index);
    const everyCall = (before?.paused_at === undefined) !== (after.paused_at === undefined);
    after.tools.forEach((tool, call) => {
      if (everyCall || tool !== before?.tools[call]) this.#call(after, tool, call, time, index);
    });
  }

  #call(run: RunState, tool: ToolState, call: number, time: number, index: number): void {
    const spans = this.calls[call] ?? [];
    this.calls[call] = spans;
    const open = spans.at(-1);
    const next = phaseOf(run, tool);
    if (open && open.to === undefined) {
      if (next && next.kind === open.kind && next.attempt === open.attempt && next.dispatch === open.dispatch) return;
      open.to = Math.max(open.from, time);
      open.last = index;
      const outcome = outcomeOf(open, tool, next);
      if (outcome) open.outcome = outcome;
    }
    if (!next) return;
    spans.push({ call, ...next, from: Math.max(open?.to ?? time, time), first: index });
  }

  #band(kind: Band['kind'], is: boolean, time: number, index: number): void {
    const open = this.bands.findLast((band) => band.kind === kind);
    const lasts = open !== undefined && open.to === undefined;
    if (is && !lasts) this.bands.push({ kind, from: Math.max(open?.to ?? time, time), first: index });
    if (!is && lasts) {
      open.to = Math.max(open.from, time);
      open.last = index;
    }
  }
}

type Phase = Pick<Span, 'kind' | 'attempt' | 'dispatch'>;

function phaseOf(run: RunState, tool: ToolState): Phase | undefined {
  if (isToolEnded(tool.status)) return undefined;
  const { dispatch, attempt } = tool;
  const next = { dispatch, attempt: attempt + 1 };
  switch (tool.status) {
    case 'running': {
      const held = run.paused_at !== undefined && (tool.pause ?? 'hold') === 'hold';
      return { kind: held ? 'paused' : 'running', dispatch: tool.claimed_dispatch, attempt };
    }
    case 'queued':
      return { kind: 'queued', ...next };
    case 'awaiting_approval':
      return { kind: 'approval', ...next };
    case 'retrying':
      return { kind: 'retry', ...next };
    default:
      return { kind: tool.released === 'paused' ? 'paused' : 'waiting', ...next };
  }
}

function outcomeOf(open: Span, tool: ToolState, next: Phase | undefined): SpanOutcome | undefined {
  if (isToolEnded(tool.status)) return tool.status as SpanOutcome;
  if (tool.status === 'retrying') return 'failed';
  if (tool.status === 'pending') return GIVEN_OUT.has(open.kind) ? 'handed back' : undefined;
  return tool.status === 'running' && next!.attempt > open.attempt ? 'replaced' : undefined;
}

const GIVEN_OUT: ReadonlySet<SpanKind> = new Set(['queued', 'running', 'paused']);
