import { ToolstreamRunElement } from './toolstream-run.ts';

export { ToolstreamRunElement } from './toolstream-run.ts';

declare global {
  interface HTMLElementTagNameMap {
    'toolstream-run': ToolstreamRunElement;
  }
}

// Importing this is what makes the element known; twice, as two bundles of a page may, is no mistake.
if (typeof customElements !== 'undefined' && !customElements.get('toolstream-run')) {
  customElements.define('toolstream-run', ToolstreamRunElement);
}
