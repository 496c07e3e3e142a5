import type { Client } from '@toolstream/client';
import type { RunControls } from '../commands.ts';
import type { RunStore } from '../run-store.ts';
import { Scope } from '../scope.ts';
import type { RunState, WatchStatus } from '../types.ts';
import { RunPanel } from './run-panel.ts';
import { scopeOver, sharedScope } from './shared-scopes.ts';
import { STYLE } from './style.ts';

type Token = string | (() => string | Promise<string>);

/** A server has no elements; the module can be imported there, and nothing more. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

const TICK_MS = 1_000;
/** Made without a <style>, which a strict content security policy would refuse; one for all elements. */
let sheet: CSSStyleSheet | undefined;

/**
 * A run on a page without a framework. Attributes: `run`, `url` (default: the page's own origin), `token`, `label`, and, without
 * values, `controls` and `output`. Properties that no attribute can hold: `token` as a function, `client`. Leaving the page
 * leaves the run as it is.
 *
 * Events, which bubble: `toolstream-state` (at most one per frame), `toolstream-end` with the state, `toolstream-error`.
 */
export class ToolstreamRunElement extends Base {
  static readonly observedAttributes = ['run', 'url', 'token', 'label', 'controls', 'output'];
  #panel: RunPanel | undefined;
  #store: RunStore | undefined;
  #leave = () => {};
  #client: Client | undefined;
  #token: Token | undefined;
  #connecting = false;
  #told: WatchStatus | undefined;

  get run(): string {
    return this.getAttribute('run') ?? '';
  }
  set run(run: string) {
    this.setAttribute('run', run);
  }

  /** A client of the page's own instead of `url` and `token`; it stays the page's to close. */
  get client(): Client | undefined {
    return this.#client;
  }
  set client(client: Client | undefined) {
    this.#client = client;
    this.#reconnect();
  }

  /** A function is asked whenever a fresh token is needed. */
  get token(): Token | undefined {
    return this.#token ?? this.getAttribute('token') ?? undefined;
  }
  set token(token: Token | undefined) {
    this.#token = token;
    this.#reconnect();
  }

  /** The run's state as far as it is known. */
  get state(): RunState | undefined {
    return this.#store?.getSnapshot().run;
  }

  /** Pause, resume, cancel, and the like: each resolves with the cursor of the event that records it. */
  get commands(): RunControls | undefined {
    return this.#store?.controls;
  }

  connectedCallback(): void {
    this.#panel ??= this.#build();
    this.#reconnect();
  }

  disconnectedCallback(): void {
    this.#leave();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) return;
    if (name === 'run' || name === 'url' || name === 'token') this.#reconnect();
    else this.#show();
  }

  #build(): RunPanel {
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
    }
    root.adoptedStyleSheets = [sheet];
    return new RunPanel(root, () => this.#store!.controls);
  }

  /** Attributes and properties are often set one after the other: what they come to is looked at once. */
  #reconnect(): void {
    if (this.#connecting) return;
    this.#connecting = true;
    queueMicrotask(() => {
      this.#connecting = false;
      this.#leave();
      if (this.isConnected && this.run !== '') this.#connect();
    });
  }

  #connect(): void {
    const { scope, leave } = this.#scope();
    const store = scope.run(this.run);
    this.#told = undefined;
    this.#store = store;
    const leaves = [store.subscribe(() => this.#changed()), scope.connection.subscribe(() => this.#show())];
    const tick = setInterval(() => {
      if (!store.getSnapshot().ended) this.#show();
    }, TICK_MS);
    this.#show = () =>
      this.#panel?.show(store.getSnapshot(), scope.connection.getSnapshot(), this.#options(), Date.now());
    this.#leave = () => {
      clearInterval(tick);
      for (const left of leaves) left();
      leave();
      this.#show = () => {};
      this.#leave = () => {};
    };
    this.#changed();
  }

  #show: () => void = () => {};

  #scope(): { scope: Scope; leave: () => void } {
    if (this.#client) return scopeOver(this.#client);
    const url = new URL(this.getAttribute('url') ?? '/', document.baseURI).href;
    const { token = '' } = this;
    if (typeof token === 'string') return sharedScope(url, token);
    const scope = Scope.from({ url, token });
    return { scope, leave: () => scope.close() };
  }

  #options() {
    const has = (name: string) => this.hasAttribute(name);
    return { label: this.getAttribute('label') ?? 'Run', controls: has('controls'), output: has('output') };
  }

  #changed(): void {
    this.#show();
    const { run, error, status } = this.#store!.getSnapshot();
    if (run) this.#tell('toolstream-state', run);
    if (status === this.#told) return;
    this.#told = status;
    if (status === 'failed') this.#tell('toolstream-error', error);
    if (status === 'ended') this.#tell('toolstream-end', run);
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}
