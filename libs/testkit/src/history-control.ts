import type { Recorded } from '@toolstream/domain';
import { TOOL_END_TYPES, type ToolstreamEvent } from '@toolstream/proto-events';

type Say = (recorded: Recorded, what: string) => void;

/**
 * What the events of one run say against the rules of control: nothing is sent out during a pause, after a cancel or before
 * an approval; nothing is cancelled that nobody asked to cancel; each answer has its question; and whatever a command made
 * names who asked. Judged from the events alone, in stream order.
 */
export function judgeControl(log: readonly Recorded[], say: Say): void {
  const run = new RunControlHistory();
  for (const recorded of log) for (const problem of run.problems(recorded)) say(recorded, problem);
}

interface ToolControlHistory {
  needsApproval: boolean;
  /** Asked and not answered. */
  asked: { expires_at?: string | undefined } | undefined;
  approved: boolean;
  cancelling: boolean;
  over: boolean;
}

const FRESH = { asked: undefined, approved: false, cancelling: false, over: false } as const;

class RunControlHistory {
  readonly #tools: ToolControlHistory[] = [];
  readonly #types = new Map<number, string>();
  #paused = false;
  #cancelling: string | undefined;

  problems(recorded: Recorded): string[] {
    const { event, seq } = recorded;
    this.#types.set(seq, event.type);
    const problems = event.id.startsWith('c-') && event.actor === undefined ? ['a command without an actor'] : [];
    if (event.toolindex === undefined) problems.push(...this.#run(event, seq));
    else problems.push(...this.#tool(event, event.toolindex));
    return problems;
  }

  #run(event: ToolstreamEvent, seq: number): string[] {
    switch (event.type) {
      case 'run.accepted.v1':
        for (const { approval_policy: policy, destructive } of event.data.tools) {
          this.#tools.push({
            ...FRESH,
            needsApproval: policy === 'always' || (policy === 'destructive' && destructive),
          });
        }
        return [];
      case 'run.paused.v1': {
        const wrong = this.#paused ? 'the run is paused already' : this.#cancelling && 'the run is being cancelled';
        this.#paused = true;
        return wrong ? [wrong] : [];
      }
      case 'run.resumed.v1': {
        const wrong = this.#paused ? [] : ['the run is not paused'];
        this.#paused = false;
        return wrong;
      }
      case 'run.cancel_requested.v1': {
        const wrong = this.#cancelling ? ['the run is being cancelled already'] : [];
        this.#cancelling = event.data.cause;
        this.#paused = false;
        return wrong;
      }
      case 'run.cancelled.v1':
        return this.#cancelling === 'command' ? [] : ['nobody asked to cancel the run'];
      case 'run.command_noted.v1': {
        const made = event.data.seq < seq ? this.#types.get(event.data.seq) : undefined;
        return made === undefined ? [`names ${event.data.seq}, which is no event before it`] : [];
      }
      default:
        return [];
    }
  }

  #tool(event: ToolstreamEvent, index: number): string[] {
    const tool = this.#tools[index];
    if (!tool) return [`the run has no tool ${index}`];
    const problems: string[] = [];
    switch (event.type) {
      case 'tool.queued.v1':
        if (this.#paused) problems.push('sent out while the run is paused');
        if (this.#cancelling || tool.cancelling) problems.push('sent out although it is being cancelled');
        if (tool.asked) problems.push('sent out while an approval is waited for');
        if (tool.needsApproval && !tool.approved) problems.push('sent out without an approval');
        break;
      case 'tool.approval_requested.v1':
        if (this.#paused) problems.push('asked while the run is paused');
        tool.asked = event.data;
        break;
      case 'tool.approved.v1':
      case 'tool.denied.v1':
        if (!tool.asked) problems.push('answers nothing that was asked');
        if (event.type === 'tool.denied.v1' && event.data.expired) problems.push(...this.#expiry(event, tool));
        tool.asked = undefined;
        tool.approved = event.type === 'tool.approved.v1';
        break;
      case 'tool.cancel_requested.v1':
        if (tool.cancelling) problems.push('is being cancelled already');
        tool.cancelling = true;
        break;
      case 'tool.cancel_acknowledged.v1':
      case 'tool.cancelled.v1':
        if (!tool.cancelling && !this.#cancelling) problems.push('nobody asked to cancel it');
        break;
      case 'tool.retry_requested.v1':
        if (!tool.over) problems.push('retried before its end');
        if (this.#cancelling) problems.push('retried although the run is being cancelled');
        Object.assign(tool, FRESH);
        break;
    }
    if (TOOL_END_TYPES.has(event.type)) tool.over = true;
    return problems;
  }

  #expiry({ actor, time }: ToolstreamEvent, { asked }: ToolControlHistory): string[] {
    const problems: string[] = [];
    if (actor !== 'toolstream') problems.push(`expired in the name of ${actor}`);
    if (this.#paused) problems.push('expired while the run is paused');
    // A pause moves it on, never back.
    if (asked?.expires_at === undefined || Date.parse(time) < Date.parse(asked.expires_at))
      problems.push('expired early');
    return problems;
  }
}
