import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { nanos } from '@nats-io/nats-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, uniqueName, until } from './harness.ts';
import { TestSocket } from './socket-client.ts';

let store: TestLog;
let first: TestEdge;
let second: TestEdge;
beforeAll(async () => {
  store = await startTestLog();
  first = await startTestEdge(store.nats);
  second = await startTestEdge(store.nats);
});
afterAll(async () => {
  await first.stop();
  await second.stop();
  await store.stop();
});

const now = () => Math.floor(Date.now() / 1000);
const admin = () => token({ sub: 'root', scope: 'admin' });
const revoke = (edge: TestEdge, body: object, bearer = admin()) =>
  edge.fetch('/v1/revocations', { method: 'POST', body: JSON.stringify(body), token: bearer });
const codeAt = async (edge: TestEdge, bearer: string): Promise<[number, unknown]> => {
  const answer = await edge.fetch('/v1/tools', { token: bearer });
  return [answer.status, ((await answer.json()) as { code?: string }).code];
};

describe('POST /v1/revocations', () => {
  it('is for administrators, takes exactly one of sub and jti, and says how long it holds', async () => {
    const forbidden = await revoke(first, { sub: 'somebody' }, token());
    expect(forbidden.status).toBe(403);
    for (const body of [{}, { sub: 'a', jti: 'b' }, { sub: '' }, { sub: 'a', tenant: 't2' }]) {
      const refused = await revoke(first, body);
      expect(refused.status).toBe(422);
    }
    const done = await revoke(first, { sub: 'somebody' });
    expect(done.status).toBe(201);
    const { sub, at, expires_at } = (await done.json()) as { sub: string; at: string; expires_at: string };
    expect(sub).toBe('somebody');
    expect(Date.parse(expires_at) - Date.parse(at)).toBe(30 * 24 * 3600 * 1000);
  });

  it('ends what the user has open at every edge within a second, and what was issued so far is refused everywhere', async () => {
    const sub = uniqueName('user');
    const old = token({ sub, iat: now() - 60 });
    const run = await HandRun.accept(store.log);
    const sockets = [
      await TestSocket.hello(first.wsUrl, { token: old, subscribe: [{ run: run.run }] }),
      await TestSocket.hello(second.wsUrl, { token: token({ sub }) }),
    ];
    const stranger = await TestSocket.hello(second.wsUrl);
    const headers = { accept: 'text/event-stream' };
    const stream = await second.fetch(`/v1/runs/${run.run}/events`, { token: old, headers });
    const ticket = await second.fetch('/v1/tickets', { method: 'POST', token: old });
    const { ticket: issued } = (await ticket.json()) as { ticket: string };

    const began = performance.now();
    expect((await revoke(first, { sub })).status).toBe(201);
    for (const socket of sockets) {
      expect(await socket.closing()).toEqual({ code: 4004, reason: 'token_revoked' });
      expect(socket.of('error').at(-1)).toMatchObject({ code: 'token_revoked' });
      const [bye] = socket.of('bye');
      expect(bye).toMatchObject({ code: 4004, reason: 'token_revoked' });
      expect(bye!.retry_ms).toBeUndefined();
    }
    expect(await stream.text()).toContain('"token_revoked"');
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(stranger.closed).toBeUndefined();

    for (const edge of [first, second]) {
      expect(await codeAt(edge, old)).toEqual([401, 'token_revoked']);
      expect(await codeAt(edge, token({ sub }))).toEqual([401, 'token_revoked']);
      expect(await codeAt(edge, token({ sub, tenant: 't2' }))).toEqual([200, undefined]);
    }
    const back = await TestSocket.open(second.wsUrl);
    back.send({ type: 'hello', token: old });
    expect((await back.closing()).code).toBe(4004);
    const byTicket = await TestSocket.open(`${second.wsUrl}?ticket=${issued}`);
    byTicket.send({ type: 'hello' });
    expect((await byTicket.closing()).code).toBe(4004);
    const again = await second.fetch(`/v1/runs/${run.run}/events`, { token: old, headers });
    expect(again.status).toBe(401);
    expect(again.headers.get('www-authenticate')).toContain('invalid_token');

    const renewed = token({ sub, iat: now() + 1 });
    expect(await codeAt(first, renewed)).toEqual([200, undefined]);
    const welcome = await TestSocket.hello(second.wsUrl, { token: renewed });
    // The refused token does not help an open connection either.
    welcome.send({ type: 'refresh', token: old });
    expect(await welcome.next('error')).toMatchObject({ code: 'token_revoked' });
    for (const socket of [welcome, stranger]) await socket.close();
  });

  it('reaches who has not said hello yet, though the ticket was good when the connection came', async () => {
    const sub = uniqueName('user');
    const ticket = await first.fetch('/v1/tickets', { method: 'POST', token: token({ sub, iat: now() }) });
    const { ticket: issued } = (await ticket.json()) as { ticket: string };
    const socket = await TestSocket.open(`${first.wsUrl}?ticket=${issued}`);
    // Long enough for the ticket to be redeemed.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await revoke(second, { sub });
    await until(async () => (await codeAt(first, token({ sub })))[0] === 401);
    socket.send({ type: 'hello' });
    expect((await socket.closing()).code).toBe(4004);
  });

  it('of a jti ends that token alone', async () => {
    const sub = uniqueName('user');
    const [one, two] = [token({ sub, jti: 'one', iat: now() }), token({ sub, jti: 'two', iat: now() })];
    const gone = await TestSocket.hello(second.wsUrl, { token: one });
    const stays = await TestSocket.hello(second.wsUrl, { token: two });
    expect((await revoke(first, { jti: 'one' })).status).toBe(201);
    expect((await gone.closing()).code).toBe(4004);
    expect(await codeAt(second, one)).toEqual([401, 'token_revoked']);
    expect(await codeAt(second, two)).toEqual([200, undefined]);
    expect(stays.closed).toBeUndefined();
    await stays.close();
  });

  it('holds at an edge that starts later, from its first answer on', async () => {
    const sub = uniqueName('user');
    const old = token({ sub, iat: now() });
    await revoke(first, { sub });
    const third = await startTestEdge(store.nats);
    expect(await codeAt(third, old)).toEqual([401, 'token_revoked']);
    await third.stop();
  });

  it('reaches an edge after the server was away, and what it knew before holds meanwhile', async () => {
    const before = uniqueName('user');
    const old = token({ sub: before, iat: now() });
    await revoke(first, { sub: before });
    await until(async () => (await codeAt(second, old))[0] === 401);
    const after = uniqueName('user');
    const socket = await TestSocket.hello(second.wsUrl, { token: token({ sub: after, iat: now() }) });

    await store.nats.kill9();
    expect((await second.fetch('/v1/tickets', { method: 'POST', token: old })).status).toBe(401);
    await store.nats.restart();
    // Whichever edge comes back first writes it: the other must hear of it.
    await until(async () => (await revoke(first, { sub: after })).status === 201, 20_000);
    expect((await socket.closing()).code).toBe(4004);
    expect(await codeAt(second, old)).toEqual([401, 'token_revoked']);
  });
});

describe('the bucket of revocations', () => {
  it('keeps them as long as a token may live, longer when a configuration asks for it, never shorter', async () => {
    const manager = await jetstreamManager(store.nc);
    const age = async () => (await manager.streams.info('KV_TS_REVOCATIONS')).config.max_age;
    const days = (count: number) => nanos(count * 24 * 3600 * 1000);
    expect(await age()).toBe(days(30));
    for (const [seconds, expected] of [
      [60 * 24 * 3600, days(60)],
      [3600, days(60)],
    ] as const) {
      const edge = await startTestEdge(store.nats, { TOOLSTREAM_MAX_TOKEN_AGE: String(seconds) });
      expect(await age()).toBe(expected);
      await edge.stop();
    }
  });

  it('revokes by an entry that nobody understands too', async () => {
    const bucket = await new Kvm(store.nc).open('TS_REVOCATIONS');
    const sub = uniqueName('user');
    await bucket.put(`t1.sub.${Buffer.from(sub).toString('base64url')}`, 'by hand');
    await until(async () => (await codeAt(first, token({ sub, iat: now() - 5 })))[0] === 401);
  });
});

describe('a token that lives longer than revocations are kept', () => {
  it('is refused', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_MAX_TOKEN_AGE: '3600' });
    const iat = now();
    expect(await codeAt(edge, token({ iat, exp: iat + 3600 }))).toEqual([200, undefined]);
    expect(await codeAt(edge, token({ iat, exp: iat + 3601 }))).toEqual([401, 'unauthenticated']);
    expect(await codeAt(edge, token({ exp: iat + 7200 }))).toEqual([401, 'unauthenticated']);
    await edge.stop();
  });
});
