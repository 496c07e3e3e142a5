import { type Client, type ClientOptions, createClient } from '@toolstream/client';
import { type Identity, readIdentity, sameCaller, tokenIn, tokenInFragment } from './token.ts';

export type SessionState =
  | { readonly status: 'signed_out' }
  | { readonly status: 'signed_in'; readonly client: Client; readonly identity: Identity }
  /** The token is no longer good; the page stays where it was, and goes on there with the next one. */
  | {
      readonly status: 'stale';
      readonly client: Client;
      readonly identity: Identity;
      readonly why: 'expired' | 'refused';
    };

/** What a page keeps for its tab: the token outlives a reload, and no more. */
export interface Keep {
  read(): string | null;
  write(token: string | null): void;
}

export interface SessionOptions {
  readonly url: string;
  readonly keep: Keep;
  readonly now: () => number;
  readonly connect?: (options: ClientOptions) => Client;
}

/** Timers hold 2^31 - 1 ms; a token may live longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const NEARLY_EXPIRED_MS = 2_000;

/**
 * Who is signed in on this page. The client asks for its token here: while the kept one is stale it waits for the next, so
 * what is watched stands still and goes on at its cursor.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #listeners = new Set<() => void>();
  #state: SessionState = { status: 'signed_out' };
  #token: string | undefined;
  /** The client asks once at a time; whom it no longer waits for is forgotten. */
  #waiting: ((token: string) => void) | undefined;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  /** The token that the client has. When it asks again it wants another, some time before or after this one's end. */
  #handedOut: string | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    const kept = options.keep.read();
    if (kept !== null) this.signIn(kept);
  }

  get state(): SessionState {
    return this.#state;
  }

  /** For the other tabs of this browser. */
  get token(): string | undefined {
    return this.#token;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** False for what is no token at all. Whether the service accepts it shows with the first request. */
  signIn(pasted: string): boolean {
    const token = tokenIn(pasted);
    const identity = readIdentity(token);
    if (identity === undefined) return false;
    const before = this.#state;
    this.#token = token;
    this.#handedOut = undefined;
    this.#options.keep.write(token);
    const client = goesOn(before, identity) ? before.client : this.#connect();
    if (before.status !== 'signed_out' && before.client !== client) before.client.close();
    this.#set({ status: 'signed_in', client, identity });
    this.#watchExpiry(identity);
    if (this.#state.status === 'signed_in') this.#answer(token);
    return true;
  }

  signOut(): void {
    this.#options.keep.write(null);
    clearTimeout(this.#expiry);
    this.#token = undefined;
    this.#waiting = undefined;
    const before = this.#state;
    this.#set({ status: 'signed_out' });
    if (before.status !== 'signed_out') before.client.close();
  }

  /** The service does not take the token, or its time is over. */
  reject(why: 'expired' | 'refused'): void {
    if (this.#state.status === 'signed_in') this.#set({ ...this.#state, status: 'stale', why });
  }

  #connect(): Client {
    const { url, connect = createClient } = this.#options;
    return connect({ url, token: () => this.#fresh(), fetch: (to, init) => this.#fetch(to, init) });
  }

  /** Asked by the client when it has no token, or needs one after the one it has. */
  #fresh(): Promise<string> {
    const token = this.#token;
    if (token !== undefined && token !== this.#handedOut && this.#state.status === 'signed_in') {
      this.#handedOut = token;
      return Promise.resolve(token);
    }
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #answer(token: string): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    this.#handedOut = token;
    waiting(token);
  }

  /** The service has the last word on a token, whatever this computer's clock says. */
  async #fetch(url: string, init: RequestInit): Promise<Response> {
    const response = await globalThis.fetch(url, init);
    if (response.status === 401 && isFor(init, this.#token)) this.reject(await whyOf(response));
    return response;
  }

  #watchExpiry({ expiresAt }: Identity): void {
    clearTimeout(this.#expiry);
    if (expiresAt === undefined) return;
    const left = expiresAt - NEARLY_EXPIRED_MS - this.#options.now();
    if (left <= 0) {
      this.reject('expired');
      return;
    }
    this.#expiry = setTimeout(
      () => this.#state.status === 'signed_in' && this.#watchExpiry(this.#state.identity),
      Math.min(left, LONGEST_TIMER_MS),
    );
  }

  #set(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** An answer to an earlier token says nothing of this one. */
const isFor = ({ headers }: RequestInit, token: string | undefined): boolean =>
  token !== undefined && new Headers(headers).get('authorization') === `Bearer ${token}`;

async function whyOf(response: Response): Promise<'expired' | 'refused'> {
  const problem: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  return (problem as { code?: unknown } | undefined)?.code === 'token_expired' ? 'expired' : 'refused';
}

/** Somebody else, or somebody whose token was refused, begins anew; a token that is only fresher changes nothing. */
function goesOn(before: SessionState, identity: Identity): before is Exclude<SessionState, { status: 'signed_out' }> {
  if (before.status === 'signed_out' || (before.status === 'stale' && before.why === 'refused')) return false;
  return sameCaller(before.identity, identity) && before.client.connection.status !== 'closed';
}

/** A link's token signs in and leaves the address at once: neither history nor a copied address carries it. */
export function signInFromAddress(session: Session, { location, history }: Window): void {
  const found = tokenInFragment(location.hash);
  if (found === undefined) return;
  history.replaceState(history.state, '', location.pathname + location.search + found.rest);
  session.signIn(found.token);
}

const KEY = 'toolstream.token';

/** `sessionStorage`, or this page alone where that is forbidden. */
export const tabStorage: Keep = {
  read() {
    try {
      return sessionStorage.getItem(KEY);
    } catch {
      return null;
    }
  },
  write(token) {
    try {
      if (token === null) sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, token);
    } catch {
      // The token holds until this page is left.
    }
  },
};
