import { Controller } from '@hotwired/stimulus';
import { count, detailsText, inShort, put, seconds, toolWord } from '../words.js';
import consumer, { renewAddress } from './consumer.js';

const statusText = (status, outcome, execution_time) =>
  status === 'complete' ? `${toolWord(outcome)} in ${seconds(execution_time * 1000)}` : toolWord(status);

/**
 * The same panel with nothing but @rails/actioncable. Messages are what the channel tells since the page came, after a
 * first description of how things stand; an approval is given elsewhere, because the channel has no action for it.
 */
export default class extends Controller {
  static targets = ['summary', 'overall', 'steer', 'stop', 'connection', 'problem', 'tools', 'tool'];
  static values = { message: String };

  connect() {
    const channel = { channel: 'ToolExecutionChannel', message_id: this.messageValue };
    this.subscription = consumer.subscriptions.create(channel, {
      received: (message) => this[message.action]?.(message),
      connected: () => put(this.connectionTarget, ''),
      disconnected: () => {
        put(this.connectionTarget, 'The connection is lost. The tools go on.');
        renewAddress().catch(() => {}); // No network: the address as it is will do, or be refused.
      },
      rejected: () => put(this.connectionTarget, 'This message may not be watched.'),
    });
  }

  disconnect() {
    this.subscription.unsubscribe();
  }

  command({ params: { name } }) {
    put(this.problemTarget, '');
    this.subscription.perform(`${name}_tool_execution`);
  }

  tool_execution_started({ tools }) {
    this.done = new Set();
    const items = tools.map(({ name, description }) => {
      const item = this.toolTarget.content.firstElementChild.cloneNode(true);
      put(this.part(item, 'name'), name);
      put(this.part(item, 'description'), description);
      this.part(item, 'progress').ariaLabel = name;
      return item;
    });
    this.toolsTarget.replaceChildren(...items);
    this.steer('pause', true);
    this.sumUp();
  }

  tool_status_update({ tool_index, status, outcome, execution_time, error }) {
    const item = this.toolsTarget.children[tool_index];
    put(this.part(item, 'status'), statusText(status, outcome, execution_time));
    if (error) put(this.part(item, 'message'), error.message);
    if (status === 'complete') this.done.add(tool_index);
    else this.done.delete(tool_index);
    this.sumUp();
  }

  tool_progress_update({ tool_index, message, progress, details }) {
    const item = this.toolsTarget.children[tool_index];
    put(this.part(item, 'message'), message);
    put(this.part(item, 'details'), detailsText(details));
    this.part(item, 'progress').value = progress;
  }

  tool_execution_complete({ total_tools, duration, ...summary }) {
    put(this.summaryTarget, inShort({ ...summary, total: total_tools, duration_ms: duration * 1000 }));
    this.steer('pause', false);
  }

  execution_paused() {
    this.steer('resume', true);
  }

  execution_resumed() {
    this.steer('pause', true);
  }

  execution_cancelled({ message }) {
    put(this.problemTarget, message);
    this.steer('pause', false);
  }

  action_refused({ message }) {
    put(this.problemTarget, message);
  }

  steer(name, live) {
    put(this.steerTarget, name === 'pause' ? 'Pause' : 'Resume');
    this.steerTarget.dataset.toolExecutionNameParam = name;
    this.steerTarget.disabled = !live;
    this.stopTarget.disabled = !live;
  }

  sumUp() {
    const total = this.toolsTarget.children.length;
    this.overallTarget.max = total;
    this.overallTarget.value = this.done.size;
    put(this.summaryTarget, `${this.done.size} of ${count(total, 'tool')}`);
  }

  part(item, which) {
    return item.querySelector(`[data-part="${which}"]`);
  }
}
