import type { Principal } from './principal.ts';

/** Every token of a user so far, or one token by its `jti`. */
export type RevocationTarget = { readonly sub: string } | { readonly jti: string };

/** `<tenant>.<sub|jti>.<base64url>`: names of users and tokens may hold anything, keys may not. */
export function revocationKey(tenant: string, target: RevocationTarget): string {
  const [kind, name] = 'sub' in target ? (['sub', target.sub] as const) : (['jti', target.jti] as const);
  return `${tenant}.${kind}.${Buffer.from(name).toString('base64url')}`;
}

/**
 * The revocations that still matter. One of a user covers the tokens that were issued up to its time, and those that do
 * not say when they were issued; `iat` is in whole seconds, so a token of the same second counts as issued before. Each is
 * forgotten when every token it could cover has expired.
 */
export class Revoked {
  readonly #keepMs: number;
  /** Key → milliseconds since the epoch. */
  readonly #times = new Map<string, number>();

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  get size(): number {
    return this.#times.size;
  }

  /** True when that was not known yet. */
  set(key: string, at: number): boolean {
    if (at <= (this.#times.get(key) ?? Number.NEGATIVE_INFINITY)) return false;
    this.#times.set(key, at);
    return true;
  }

  delete(key: string): void {
    this.#times.delete(key);
  }

  covers({ tenant, sub, jti, iat }: Pick<Principal, 'tenant' | 'sub' | 'jti' | 'iat'>): boolean {
    if (this.#times.size === 0) return false;
    const at = this.#times.get(revocationKey(tenant, { sub }));
    if (at !== undefined && (iat === undefined || iat * 1000 <= at)) return true;
    return jti !== undefined && this.#times.has(revocationKey(tenant, { jti }));
  }

  forget(now: number): void {
    for (const [key, at] of this.#times) if (at + this.#keepMs < now) this.#times.delete(key);
  }
}
