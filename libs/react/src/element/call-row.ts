import type { CommandArguments, PendingCommand, RunControls } from '../commands.ts';
import { percentOf } from '../progress.ts';
import { hasRunEnded, type RunState, type ToolState, type ToolStatus } from '../types.ts';
import { TOOL_WORDS, toolText } from '../words.ts';
import { ask } from './ask.ts';
import { bar, busy, button, h, set, text } from './dom.ts';

/** With the word beside it: a sign alone, or a colour, tells nobody anything. */
const MARKS: Readonly<Record<ToolStatus, string>> = {
  pending: '○',
  queued: '◔',
  running: '◐',
  awaiting_approval: '?',
  retrying: '↻',
  succeeded: '✓',
  failed: '✕',
  cancelled: '–',
  skipped: '–',
  denied: '✕',
};

/** One call of the list: built once, then touched only where something changed. */
export class CallRow {
  readonly element: HTMLLIElement;
  readonly #root: ShadowRoot;
  readonly #controls: () => RunControls;
  readonly #mark = h('span', { class: 'mark', 'aria-hidden': 'true' });
  readonly #name = h('span', { part: 'call-name', class: 'name' });
  readonly #status = h('span', { part: 'call-status', class: 'muted' });
  readonly #bar = h('progress', { part: 'bar call-bar', max: '100' });
  readonly #text = h('p', { part: 'call-text', class: 'muted' });
  readonly #output = h('pre', { part: 'output', tabindex: '0' });
  readonly #details = h('details', { part: 'call-output' }, h('summary', {}, 'Output'), this.#output);
  readonly #buttons: Readonly<Record<'approve' | 'deny' | 'retry' | 'cancel', HTMLButtonElement>>;
  #tool: ToolState | undefined;

  constructor(root: ShadowRoot, controls: () => RunControls) {
    this.#root = root;
    this.#controls = controls;
    this.#buttons = {
      approve: button('approve', 'Approve', () => void this.#approve()),
      deny: button('deny', 'Deny', () => void this.#deny()),
      retry: button('retry', 'Try again', () => void this.#controls().retryTool(this.#tool!.index)),
      cancel: button('cancel', 'Cancel', () => void this.#controls().cancelTool(this.#tool!.index)),
    };
    const buttons = h('span', { class: 'end', part: 'call-controls' }, ...Object.values(this.#buttons));
    const row = h('div', { class: 'row' }, this.#mark, this.#name, this.#status, buttons);
    this.element = h('li', {}, row, this.#bar, this.#text, this.#details);
    this.#output.setAttribute('aria-label', 'Output');
    this.#details.addEventListener('toggle', () => this.#showOutput());
  }

  /** `options`: with buttons, with output. */
  show(
    tool: ToolState,
    run: RunState,
    pending: readonly PendingCommand[],
    options: { controls: boolean; output: boolean },
  ): void {
    if (tool !== this.#tool) this.#show(tool);
    set(this.#details, 'hidden', !options.output || tool.output === undefined);
    this.#showButtons(tool, run, options.controls, pending);
  }

  #show(tool: ToolState): void {
    this.#tool = tool;
    const { name, status } = tool;
    set(this.element, 'data-status', status);
    set(this.element, 'part', `call ${status.replace('_', '-')}`);
    text(this.#mark, MARKS[status]);
    text(this.#name, name);
    text(this.#status, TOOL_WORDS[status] + (tool.attempt > 1 ? `, attempt ${tool.attempt}` : ''));
    const words = toolText(tool);
    text(this.#text, words);
    set(this.#text, 'hidden', words === '');
    set(this.#text, 'class', status === 'failed' ? 'bad' : 'muted');
    set(this.#bar, 'hidden', status !== 'running');
    set(this.#bar, 'aria-label', `Progress of ${name}`);
    bar(this.#bar, percentOf(tool), words || TOOL_WORDS[status]);
    this.#showOutput();
  }

  /** Of a closed one nothing is laid out. */
  #showOutput(): void {
    if (this.#details.open) text(this.#output, (this.#tool?.output ?? []).map((part) => part.text).join(''));
  }

  #showButtons(tool: ToolState, run: RunState, shown: boolean, pending: readonly PendingCommand[]): void {
    const { approve, deny, retry, cancel } = this.#buttons;
    const on = shown && !hasRunEnded(run.status) && run.status !== 'cancelling';
    const { status } = tool;
    const asks = status === 'awaiting_approval';
    const over = status === 'failed' || status === 'cancelled' || status === 'denied';
    const is = (command: PendingCommand['command']) =>
      pending.some((wish) => wish.command === command && wish.index === tool.index);
    const answered = is('approve_tool') || is('deny_tool');
    set(approve, 'hidden', !on || !asks);
    set(deny, 'hidden', !on || !asks);
    set(retry, 'hidden', !on || !over);
    set(cancel, 'hidden', !on || (status !== 'running' && status !== 'queued' && status !== 'retrying'));
    busy(
      approve,
      is('approve_tool') ? 'Approving…' : tool.approval?.reason === 'input' ? 'Answer' : 'Approve',
      answered,
    );
    busy(deny, is('deny_tool') ? 'Denying…' : 'Deny', answered);
    busy(retry, is('retry_tool') ? 'Trying again…' : 'Try again', is('retry_tool'));
    const cancelling = is('cancel_tool') || tool.cancel !== undefined;
    busy(cancel, cancelling ? 'Cancelling…' : 'Cancel', cancelling);
    for (const control of [approve, deny, retry, cancel])
      set(control, 'aria-label', `${control.textContent} ${tool.name}`);
  }

  async #approve(): Promise<void> {
    const { index, approval, name, arguments: json } = this.#tool!;
    if (approval?.reason !== 'input') {
      await this.#controls().approveTool(index);
      return;
    }
    const answer = await ask(this.#root, { title: approval.request?.message ?? `${name} asks`, go: 'Answer', json });
    if (answer) await this.#controls().approveTool(index, { arguments: answer.value as CommandArguments['arguments'] });
  }

  async #deny(): Promise<void> {
    const { index, name } = this.#tool!;
    const answer = await ask(this.#root, { title: `Deny ${name}?`, go: 'Deny' });
    if (answer) await this.#controls().denyTool(index, answer.reason === undefined ? {} : { reason: answer.reason });
  }
}
