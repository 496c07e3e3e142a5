import type { Session } from './session.ts';
import { type Identity, readIdentity, sameCaller } from './token.ts';

type Word =
  | { readonly type: 'ask' }
  | { readonly type: 'token'; readonly token: string }
  | { readonly type: 'signed_out'; readonly identity: Identity };

const CHANNEL = 'toolstream.session';

/**
 * The tabs of this browser share what they know: a tab opened from another is signed in like it, a fresh token serves all tabs
 * of the same caller, and signing out is signing out of all of them. Tabs of different callers leave each other alone. Nothing
 * is written down: with the last tab the token is gone.
 */
export class Tabs {
  readonly #session: Session;
  readonly #channel: BroadcastChannel;
  #known: Identity | undefined;
  #asking = false;
  /** What came from another tab is not told again. */
  #quiet = false;

  constructor(session: Session, channel = new BroadcastChannel(CHANNEL)) {
    this.#session = session;
    this.#channel = channel;
    channel.addEventListener('message', ({ data }: MessageEvent<Word>) => this.#hear(data));
    session.subscribe(() => this.#tell());
    this.#tell();
  }

  /** Resolves when another tab has answered, or soon after if none does. */
  async ask(patienceMs: number): Promise<void> {
    this.#asking = true;
    this.#channel.postMessage({ type: 'ask' } satisfies Word);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      const leave = this.#session.subscribe(() => {
        clearTimeout(timer);
        leave();
        resolve();
      });
    });
    this.#asking = false;
  }

  #hear(word: Word): void {
    this.#quiet = true;
    try {
      if (word.type === 'ask') this.#answer();
      else if (word.type === 'token') this.#take(word.token);
      else if (this.#known && sameCaller(this.#known, word.identity)) this.#session.signOut();
    } finally {
      this.#quiet = false;
      this.#remember();
    }
  }

  #answer(): void {
    const { token, state } = this.#session;
    if (token !== undefined && state.status === 'signed_in')
      this.#channel.postMessage({ type: 'token', token } satisfies Word);
  }

  #take(token: string): void {
    const identity = readIdentity(token);
    if (identity === undefined || token === this.#session.token) return;
    const { state } = this.#session;
    const wanted = state.status === 'signed_out' ? this.#asking : sameCaller(state.identity, identity);
    if (wanted) this.#session.signIn(token);
  }

  #tell(): void {
    const { state } = this.#session;
    if (!this.#quiet) {
      if (state.status === 'signed_in') this.#answer();
      else if (state.status === 'signed_out' && this.#known)
        this.#channel.postMessage({ type: 'signed_out', identity: this.#known } satisfies Word);
    }
    this.#remember();
  }

  #remember(): void {
    const { state } = this.#session;
    this.#known = state.status === 'signed_out' ? undefined : state.identity;
  }
}
