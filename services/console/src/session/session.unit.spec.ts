import type { Client, ClientOptions } from '@toolstream/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Session } from './session.ts';
import { readIdentity, sameCaller, tokenIn, tokenInFragment } from './token.ts';

const T0 = Date.parse('2026-05-01T12:00:00Z');
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: Record<string, unknown> = {}, seconds = 3_600): string =>
  `${part({ alg: 'HS256' })}.${part({ sub: 'ann', tenant: 't1', scope: 'runs:read', apps: '*', exp: T0 / 1000 + seconds, ...claims })}.sig`;

interface Made {
  options: ClientOptions & { token: () => Promise<string> };
  closed: boolean;
}

function start(kept: string | null = null) {
  const made: Made[] = [];
  const keep = {
    value: kept,
    read() {
      return this.value;
    },
    write(token: string | null) {
      this.value = token;
    },
  };
  const connect = (options: ClientOptions): Client => {
    const client: Made = { options: options as Made['options'], closed: false };
    made.push(client);
    return {
      close: () => {
        client.closed = true;
      },
      get connection() {
        return { status: client.closed ? 'closed' : 'open', transport: 'websocket' };
      },
    } as unknown as Client;
  };
  return { made, keep, session: new Session({ url: 'http://edge', keep, now: Date.now, connect }) };
}

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('what is pasted', () => {
  it('may be a token, a header or the whole address', () => {
    expect(tokenIn('  abc ')).toBe('abc');
    expect(tokenIn('Bearer abc')).toBe('abc');
    expect(tokenIn('http://localhost:4400/runs/0-1?tab=calls#token=abc')).toBe('abc');
    expect(tokenInFragment('#token=abc&x=1')).toEqual({ token: 'abc', rest: '#x=1' });
    expect(tokenInFragment('#x=1')).toBeUndefined();
  });

  it('is read as far as it is a token', () => {
    expect(readIdentity(jwt({ sub: 'Zoë', apps: ['a', 1] }))).toMatchObject({
      sub: 'Zoë',
      apps: ['a'],
      scopes: ['runs:read'],
    });
    for (const nonsense of ['', 'a.b', 'a.!.c', `a.${part('text')}.c`, `a.${part({ sub: 1 })}.c`])
      expect(readIdentity(nonsense)).toBeUndefined();
    expect(sameCaller(readIdentity(jwt())!, readIdentity(jwt({}, 9))!)).toBe(true);
    expect(sameCaller(readIdentity(jwt())!, readIdentity(jwt({ scope: 'admin' }))!)).toBe(false);
  });
});

describe('a session', () => {
  it('goes on from the token that its tab kept, and forgets it on signing out', () => {
    const { session, keep, made } = start(jwt());
    expect(session.state.status).toBe('signed_in');
    session.signOut();
    expect(session.state.status).toBe('signed_out');
    expect(keep.value).toBeNull();
    expect(made[0]!.closed).toBe(true);
  });

  it('takes nothing that is no token', () => {
    const { session, made } = start();
    expect(session.signIn('hello')).toBe(false);
    expect(session.state.status).toBe('signed_out');
    expect(made).toEqual([]);
  });

  it('is stale when its token expires; the same client waits for the next and goes on with it', async () => {
    const { session, made } = start();
    session.signIn(jwt({}, 60));
    const { token } = made[0]!.options;
    expect(await token()).toBe(jwt({}, 60));
    vi.advanceTimersByTime(59_000);
    expect(session.state).toMatchObject({ status: 'stale', why: 'expired' });
    const next = token();
    expect(session.signIn(jwt({}, 7_200))).toBe(true);
    expect(await next).toBe(jwt({}, 7_200));
    expect(session.state.status).toBe('signed_in');
    expect(made).toHaveLength(1);
  });

  it('is not stale because its client asks for a fresh token early', async () => {
    const { session, made } = start(jwt());
    const { token } = made[0]!.options;
    await token();
    const fresh = token();
    expect(session.state.status).toBe('signed_in');
    session.signIn(jwt({}, 9_000));
    expect(await fresh).toBe(jwt({}, 9_000));
  });

  it('is stale at once where the kept token has expired', () => {
    const { session } = start(jwt({}, -5));
    expect(session.state).toMatchObject({ status: 'stale', why: 'expired' });
  });

  it('outlives what a timer can hold', () => {
    const { session } = start(jwt({}, 30 * 24 * 3_600));
    vi.advanceTimersByTime(29 * 24 * 3_600_000);
    expect(session.state.status).toBe('signed_in');
    vi.advanceTimersByTime(24 * 3_600_000);
    expect(session.state.status).toBe('stale');
  });

  it('begins anew for another caller, and after a token that the service refused', () => {
    const { session, made } = start(jwt());
    session.signIn(jwt({ tenant: 't2' }));
    expect([made.length, made[0]!.closed]).toEqual([2, true]);
    session.reject('refused');
    session.signIn(jwt({ tenant: 't2' }, 9_000));
    expect([made.length, made[1]!.closed]).toEqual([3, true]);
  });

  it('believes the service about its own token, and ignores what is said of an earlier one', async () => {
    const { session, made } = start(jwt());
    const answer = (code: string) => async () => new Response(JSON.stringify({ code }), { status: 401 });
    const headers = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    vi.stubGlobal('fetch', answer('token_expired'));
    const { fetch } = made[0]!.options;
    await fetch!('http://edge/v1/runs', headers(jwt({}, 5)));
    expect(session.state.status).toBe('signed_in');
    expect((await fetch!('http://edge/v1/runs', headers(jwt()))).status).toBe(401);
    expect(session.state).toMatchObject({ status: 'stale', why: 'expired' });
    session.signIn(jwt({}, 9_000));
    vi.stubGlobal('fetch', answer('unauthenticated'));
    await fetch!('http://edge/v1/runs', headers(jwt({}, 9_000)));
    expect(session.state).toMatchObject({ status: 'stale', why: 'refused' });
  });
});
