import { Controller } from '@hotwired/stimulus';
import { toolstream } from '../toolstream.js';

/** On a `<toolstream-run>`: gives it the page's client and the message's newest run. It draws and steers itself. */
export default class extends Controller {
  static values = { message: String };

  connect() {
    this.element.client = toolstream();
    this.watch = toolstream().watchMessage(this.messageValue);
    this.watch.on('attached', ({ run }) => this.element.setAttribute('run', run));
  }

  disconnect() {
    this.watch.close();
  }
}
