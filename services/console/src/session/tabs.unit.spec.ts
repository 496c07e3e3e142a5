import type { Client } from '@toolstream/client';
import { afterEach, expect, it } from 'vitest';
import { Session } from './session.ts';
import { Tabs } from './tabs.ts';

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: Record<string, unknown> = {}): string =>
  `${part({})}.${part({ sub: 'ann', tenant: 't1', scope: 'runs:read', apps: '*', ...claims })}.sig`;

const open: BroadcastChannel[] = [];
afterEach(() => {
  for (const channel of open.splice(0)) channel.close();
});

function tab(channel: string, token?: string) {
  const keep = { read: () => token ?? null, write: () => {} };
  const connect = () => ({ close: () => {}, connection: { status: 'open' } }) as unknown as Client;
  const session = new Session({ url: 'http://edge', keep, now: Date.now, connect });
  const own = new BroadcastChannel(channel);
  open.push(own);
  const tabs = new Tabs(session, own);
  return { session, tabs };
}

const settled = (session: Session, status: string): Promise<void> =>
  new Promise((resolve) => {
    const look = () => session.state.status === status && resolve();
    session.subscribe(look);
    look();
  });

it('A tab opened from another is signed in like it; without another it asks a person', async () => {
  const alone = tab('a');
  await alone.tabs.ask(20);
  expect(alone.session.state.status).toBe('signed_out');
  tab('a', jwt());
  const second = tab('a');
  await second.tabs.ask(2_000);
  expect(second.session.token).toBe(jwt());
  expect(alone.session.state.status).toBe('signed_out');
});

it('A fresh token serves all tabs of its caller, and no other', async () => {
  const one = tab('b', jwt());
  const two = tab('b', jwt());
  const other = tab('b', jwt({ sub: 'bob' }));
  two.session.reject('expired');
  one.session.signIn(jwt({ exp: 4_102_444_800 }));
  await settled(two.session, 'signed_in');
  expect(two.session.token).toBe(jwt({ exp: 4_102_444_800 }));
  expect(other.session.token).toBe(jwt({ sub: 'bob' }));
});

it('Signing out is signing out of all tabs of the caller', async () => {
  const one = tab('c', jwt());
  const two = tab('c', jwt());
  const other = tab('c', jwt({ sub: 'bob' }));
  one.session.signOut();
  await settled(two.session, 'signed_out');
  expect(other.session.state.status).toBe('signed_in');
});
