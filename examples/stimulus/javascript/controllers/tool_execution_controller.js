import { Controller } from '@hotwired/stimulus';
import { toolstream } from '../toolstream.js';
import { count, detailsText, inShort, put, runWord, seconds, toolWord } from '../words.js';

const ENDED = new Set(['succeeded', 'failed', 'cancelled', 'skipped', 'denied']);
const OFFLINE = 'The connection is lost. The tools go on, and this page catches up when it is back.';

/**
 * The tools of a chat message's newest run, also from before it has one. What is shown is a function of the run's state,
 * so after a reload, a reconnect or an hour it is what it would have been without.
 */
export default class extends Controller {
  static targets = ['summary', 'overall', 'steer', 'stop', 'connection', 'problem', 'tools', 'tool'];
  static values = { message: String };

  connect() {
    this.client = toolstream();
    this.watch = this.client.watchMessage(this.messageValue);
    this.watch.on('state', () => this.drawSoon());
    this.watch.on('error', (error) => this.complain(error));
    this.forget = this.client.onConnection((state) => this.showConnection(state));
    this.showConnection(this.client.connection);
  }

  disconnect() {
    this.watch.close();
    this.forget();
    cancelAnimationFrame(this.frame);
  }

  /** However fast events come: once a frame. */
  drawSoon() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw(this.watch.state));
  }

  draw({ run_id, status, tools, summary }) {
    if (this.shown !== run_id)
      this.toolsTarget.replaceChildren(...tools.map(() => this.toolTarget.content.firstElementChild.cloneNode(true)));
    this.shown = run_id;
    for (const tool of tools) this.drawTool(this.toolsTarget.children[tool.index], tool);
    const ended = tools.filter((tool) => ENDED.has(tool.status)).length;
    const under = tools.map((tool) => (ENDED.has(tool.status) ? 1 : (tool.progress?.progress ?? 0) / 100));
    this.overallTarget.max = tools.length;
    this.overallTarget.value = under.reduce((sum, part) => sum + part, 0);
    put(
      this.summaryTarget,
      `${runWord(status)}: ${summary ? inShort(summary) : `${ended} of ${count(tools.length, 'tool')}`}`,
    );
    const paused = status === 'paused';
    put(this.steerTarget, paused ? 'Resume' : 'Pause');
    this.steerTarget.dataset.toolExecutionNameParam = paused ? 'resume' : 'pause';
    this.steerTarget.disabled = !(paused || status === 'accepted' || status === 'running');
    this.stopTarget.disabled = this.steerTarget.disabled;
  }

  drawTool(item, { index, name, description, status, progress, error, metrics }) {
    const part = (which) => item.querySelector(`[data-part="${which}"]`);
    put(part('name'), name);
    put(part('description'), description);
    put(
      part('status'),
      toolWord(status) + (metrics?.duration_ms === undefined ? '' : ` in ${seconds(metrics.duration_ms)}`),
    );
    put(part('message'), error?.message ?? progress?.message ?? progress?.stage ?? '');
    put(part('details'), detailsText(progress?.details));
    const bar = part('progress');
    bar.ariaLabel = name;
    bar.hidden = !progress && status !== 'running';
    if (progress?.progress !== undefined) bar.value = progress.progress;
    else if (status === 'running') bar.removeAttribute('value');
    part('approval').hidden = status !== 'awaiting_approval';
    for (const button of part('approval').querySelectorAll('button')) button.dataset.toolExecutionIndexParam = index;
  }

  async command({ params: { name, index }, target }) {
    target.closest('li')?.focus();
    this.complain(undefined);
    await this.client
      .command(this.watch.run, name, index === undefined ? {} : { index })
      .catch((error) => this.complain(error));
  }

  complain(error) {
    put(this.problemTarget, error ? error.message : '');
  }

  showConnection({ status, reason }) {
    this.wasOpen ||= status === 'open';
    const lost = this.wasOpen ? OFFLINE : 'Connecting…';
    const words = { connecting: lost, waiting: lost, closed: `Not connected (${reason}). Load the page again.` };
    put(this.connectionTarget, words[status] ?? '');
  }
}
