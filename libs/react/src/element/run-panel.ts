import { Announcer } from '../announcer.ts';
import type { RunControls } from '../commands.ts';
import { progressOf } from '../progress.ts';
import type { RunView } from '../run-store.ts';
import { type ConnectionView, hasRunEnded } from '../types.ts';
import { progressText, RUN_WORDS } from '../words.ts';
import { ask } from './ask.ts';
import { CallRow } from './call-row.ts';
import { bar, busy, button, h, set, text } from './dom.ts';

export interface PanelOptions {
  readonly label: string;
  readonly controls: boolean;
  readonly output: boolean;
}

/** A run in a shadow root. Showing the same view twice changes nothing on the page. */
export class RunPanel {
  readonly #root: ShadowRoot;
  readonly #controls: () => RunControls;
  readonly #status = h('span', { part: 'status' });
  readonly #connection = h('span', { part: 'connection', class: 'muted', hidden: true });
  readonly #bar = h('progress', { part: 'bar', max: '100' });
  readonly #text = h('p', { part: 'text', class: 'muted' });
  readonly #notice = h('p', { part: 'notice', class: 'bad', hidden: true });
  readonly #list = h('ol', { part: 'list', 'aria-label': 'Tool calls' });
  readonly #spoken = h('span', { class: 'hidden', role: 'status' });
  readonly #alert = h('span', { class: 'hidden', role: 'alert' });
  readonly #pause: HTMLButtonElement;
  readonly #cancel: HTMLButtonElement;
  readonly #section: HTMLElement;
  readonly #known: HTMLElement;
  readonly #waiting = h('slot', { part: 'waiting' }, 'Waiting for the run…');
  readonly #rows: CallRow[] = [];
  #announcer = new Announcer();
  #run: string | undefined;
  #paused = false;

  constructor(root: ShadowRoot, controls: () => RunControls) {
    this.#root = root;
    this.#controls = controls;
    this.#pause = button('pause', 'Pause', () => void (this.#paused ? controls().resume() : controls().pause()));
    this.#cancel = button('cancel', 'Cancel', () => void this.#askCancel());
    const buttons = h('span', { class: 'end', part: 'controls' }, this.#pause, this.#cancel);
    const header = h('header', { part: 'header' }, this.#status, this.#connection, buttons);
    this.#known = h('div', {}, header, this.#bar, this.#text, this.#list);
    this.#section = h('section', { class: 'run', part: 'run' }, this.#waiting, this.#known, this.#notice);
    root.append(this.#section, this.#spoken, this.#alert);
  }

  show(view: RunView, connection: ConnectionView, options: PanelOptions, now: number): void {
    const { run } = view;
    set(this.#section, 'aria-label', options.label);
    set(this.#section, 'aria-busy', run ? undefined : 'true');
    set(this.#waiting, 'hidden', run !== undefined || view.status === 'failed');
    set(this.#known, 'hidden', !run);
    this.#showNotice(view);
    if (!run) return;
    if (run.run_id !== this.#run) {
      this.#run = run.run_id;
      this.#announcer = new Announcer();
    }
    const progress = progressOf(run, now + view.aheadMs);
    const words = progressText(progress);
    set(this.#section, 'data-status', run.status);
    text(this.#status, RUN_WORDS[run.status]);
    bar(this.#bar, progress.percent, words);
    set(this.#bar, 'aria-label', `Progress of ${options.label}`);
    text(this.#text, words);
    this.#showConnection(view, connection, now);
    this.#showControls(view, options.controls);
    while (this.#rows.length < run.tools.length) this.#add();
    while (this.#rows.length > run.tools.length) this.#rows.pop()!.element.remove();
    for (const tool of run.tools) this.#rows[tool.index]!.show(tool, run, view.pending, options);
    const said = this.#announcer.next(run, progress, now);
    text(this.#spoken, said.status);
    text(this.#alert, said.alert);
  }

  #add(): void {
    const row = new CallRow(this.#root, this.#controls);
    this.#rows.push(row);
    this.#list.append(row.element);
  }

  #showNotice({ status, error, refused }: RunView): void {
    const words =
      status === 'failed'
        ? `The run cannot be watched: ${error?.message ?? ''}`
        : refused
          ? `That was refused: ${refused.error.message}`
          : '';
    text(this.#notice, words);
    set(this.#notice, 'hidden', words === '');
    set(this.#notice, 'role', words === '' ? undefined : 'alert');
  }

  #showConnection({ ended }: RunView, { status, retry_at }: ConnectionView, now: number): void {
    const away = !ended && (status === 'waiting' || status === 'connecting');
    const seconds = retry_at === undefined ? 0 : Math.max(0, Math.ceil((retry_at - now) / 1000));
    text(this.#connection, away ? (seconds > 0 ? `Reconnecting in ${seconds} s` : 'Reconnecting…') : '');
    set(this.#connection, 'hidden', !away);
  }

  #showControls({ run, pending }: RunView, shown: boolean): void {
    if (!run) return;
    const on = shown && !hasRunEnded(run.status);
    const is = (...commands: string[]) => pending.some(({ command }) => commands.includes(command));
    this.#paused = run.status === 'paused';
    set(this.#pause, 'hidden', !on || run.status === 'cancelling');
    set(this.#cancel, 'hidden', !on);
    const label = is('pause') ? 'Pausing…' : is('resume') ? 'Resuming…' : this.#paused ? 'Resume' : 'Pause';
    busy(this.#pause, label, is('pause', 'resume'));
    const cancelling = run.status === 'cancelling' || is('cancel');
    busy(this.#cancel, cancelling ? 'Cancelling…' : 'Cancel', cancelling);
  }

  async #askCancel(): Promise<void> {
    const answer = await ask(this.#root, { title: 'Cancel the run?', go: 'Cancel the run' });
    if (answer) await this.#controls().cancel(answer.reason === undefined ? {} : { reason: answer.reason });
  }
}
