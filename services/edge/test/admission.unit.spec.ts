import { describe, expect, it } from 'vitest';
import type { Principal } from '../src/auth/principal.ts';
import { edgeConfig } from '../src/config.ts';
import { Refusal } from '../src/problems.ts';
import { Admission, addressGroup } from '../src/socket/admission.ts';
import { Clients } from '../src/socket/clients.ts';
import { addressOf, chooseSubprotocol, handleProtocols } from '../src/socket/subprotocols.ts';

const SECRET = 'a-secret-of-the-tests-with-enough-characters';
const caller = (sub: string, tenant = 't1'): Principal => ({ sub, tenant, scopes: [], apps: '*', exp: 0 });

function admission(env: Record<string, string>) {
  const counted: string[] = [];
  const clients = new Clients(15_000);
  let now = 0;
  const made = new Admission({
    config: edgeConfig.parse({ TOOLSTREAM_JWT_SECRET: SECRET, ...env }),
    clients,
    metrics: { connection: (transport, outcome, reason) => counted.push(`${transport} ${outcome} ${reason}`) },
    now: () => now,
  });
  return { made, clients, counted, wait: (ms: number) => (now += ms) };
}

function refusalOf(what: () => unknown): Refusal {
  try {
    what();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('admission', () => {
  it('gives so many places in all, and a place that is given back to the next', () => {
    const { made } = admission({ TOOLSTREAM_MAX_CONNECTIONS: '2' });
    const [first] = [made.admit('ws', '192.0.2.1'), made.admit('ws', '192.0.2.2')];
    const refusal = refusalOf(() => made.admit('ws', '192.0.2.3'));
    expect(refusal.code).toBe('busy');
    expect(refusal.retryAfterS).toBeGreaterThanOrEqual(1);
    first!.release();
    first!.release();
    expect(made.size).toBe(1);
    made.admit('ws', '192.0.2.3');
    expect(made.size).toBe(2);
  });

  it('gives so many to one address, and other addresses do not suffer from it', () => {
    const { made, counted } = admission({ TOOLSTREAM_MAX_CONNECTIONS_PER_IP: '2' });
    const places = [made.admit('ws', '192.0.2.1'), made.admit('sse', '192.0.2.1')];
    expect(refusalOf(() => made.admit('ws', '192.0.2.1')).code).toBe('rate_limited');
    expect(counted).toEqual(['ws rate_limited ip']);
    made.admit('ws', '192.0.2.2');
    places[0]!.release();
    made.admit('ws', '192.0.2.1');
  });

  it('gives so many to one user of a tenant, once it is known whose they are', () => {
    const { made, counted } = admission({ TOOLSTREAM_MAX_CONNECTIONS_PER_USER: '1' });
    const places = Array.from({ length: 4 }, () => made.admit('ws', '192.0.2.1'));
    places[0]!.claim(caller('user-1'));
    expect(refusalOf(() => places[1]!.claim(caller('user-1'))).code).toBe('rate_limited');
    places[2]!.claim(caller('user-1', 't2'));
    places[3]!.claim(caller('user-2'));
    expect(counted).toEqual([
      'ws accepted accepted',
      'ws rate_limited user',
      'ws accepted accepted',
      'ws accepted accepted',
    ]);
    for (const place of places) place.release();
    made.admit('ws', '192.0.2.1').claim(caller('user-1'));
    expect(made.size).toBe(1);
  });

  it('lets a burst in, then so many a second; who is refused takes nobody’s turn', () => {
    const { made, wait } = admission({ TOOLSTREAM_CONNECTS_PER_SECOND: '10' });
    for (let at = 0; at < 20; at++) made.admit('ws', '192.0.2.1');
    for (let at = 0; at < 50; at++) {
      const refusal = refusalOf(() => made.admit('ws', '192.0.2.1'));
      expect(refusal.code).toBe('busy');
      expect(refusal.retryAfterS).toBeGreaterThanOrEqual(1);
      expect(refusal.retryAfterS).toBeLessThanOrEqual(3);
    }
    wait(500);
    for (let at = 0; at < 5; at++) made.admit('ws', '192.0.2.1');
    refusalOf(() => made.admit('ws', '192.0.2.1'));
  });

  it('limits nothing where the limit is 0', () => {
    const { made } = admission({
      TOOLSTREAM_MAX_CONNECTIONS_PER_IP: '0',
      TOOLSTREAM_MAX_CONNECTIONS_PER_USER: '0',
      TOOLSTREAM_CONNECTS_PER_SECOND: '0',
    });
    for (let at = 0; at < 5_000; at++) made.admit('ws', '192.0.2.1').claim(caller('user-1'));
    expect(made.size).toBe(5_000);
  });

  it('takes nobody while the process drains', () => {
    const { made, clients } = admission({});
    clients.leave();
    made.admit('ws', '192.0.2.1');
    clients.refuseNew();
    expect(refusalOf(() => made.admit('ws', '192.0.2.1')).code).toBe('unavailable');
  });

  it('counts every attempt once, by what became of it first', () => {
    const { made, counted } = admission({});
    made.admit('ws', '192.0.2.1').release();
    const refused = made.admit('ws', '192.0.2.1');
    refused.refused('unauthenticated');
    refused.release();
    const accepted = made.admit('sse', '192.0.2.1');
    accepted.claim(caller('user-1'));
    accepted.claim(caller('user-1'));
    accepted.refused('drain');
    accepted.release();
    expect(counted).toEqual(['ws abandoned abandoned', 'ws unauthenticated unauthenticated', 'sse accepted accepted']);
  });
});

describe('an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:0001::9', '2001:db8:1:0'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::5:6', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['127.0.0.1', undefined],
    ['::1', undefined],
    ['::ffff:127.0.0.1', undefined],
  ])('%s counts as %s', (ip, group) => {
    expect(addressGroup(ip)).toBe(group);
  });
});

describe('the subprotocol', () => {
  it('is chosen by the address, and nothing that is not spoken there is ever echoed', () => {
    const { subprotocols } = addressOf('/ws?ticket=x')!;
    const [name] = subprotocols;
    const asked = (url: string, ...offered: string[]) => handleProtocols(new Set(offered), { url } as never);
    expect(asked('/ws', 'anycable-token.eyJ.a.b', name!)).toBe(name);
    expect(asked('/ws/?x=1', name!)).toBe(name);
    expect(asked('/ws', 'anycable-token.eyJ.a.b')).toBe(false);
    expect(asked('/other', name!)).toBe(false);
    expect(asked('/constructor', name!)).toBe(false);
  });

  it('is the first that the client offers, of several that are spoken', () => {
    const address = { subprotocols: ['a', 'b'], required: false };
    expect(chooseSubprotocol(['x', 'b', 'a'], address)).toBe('b');
  });
});

describe('the configuration', () => {
  const trusted = (text: string) =>
    edgeConfig.safeParse({ TOOLSTREAM_JWT_SECRET: SECRET, TOOLSTREAM_TRUST_PROXY: text });

  it('takes addresses and networks of proxies, and no number of hops, which a client could exceed', () => {
    expect(trusted('10.0.0.0/8, loopback,2001:db8::/32').data?.TOOLSTREAM_TRUST_PROXY).toEqual([
      '10.0.0.0/8',
      'loopback',
      '2001:db8::/32',
    ]);
    for (const wrong of ['1', 'true', '10.0.0.0/33', 'proxy.example.com', '10.0.0.0/8/8']) {
      expect(trusted(wrong).success).toBe(false);
    }
  });
});
