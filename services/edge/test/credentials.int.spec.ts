import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, until } from './harness.ts';
import { TestSocket } from './socket-client.ts';

let store: TestLog;
let edge: TestEdge;
let other: TestEdge;

/** So that a connection is closed soon after its token's end. */
const env = { TOOLSTREAM_TOKEN_GRACE_MS: '100' };

beforeAll(async () => {
  store = await startTestLog();
  [edge, other] = await Promise.all([startTestEdge(store.nats, env), startTestEdge(store.nats, env)]);
});
afterAll(async () => {
  await Promise.all([edge.stop(), other.stop()]);
  await store.stop();
});

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

describe('a ticket', () => {
  const issue = async (bearer = token()) => {
    const response = await edge.fetch('/v1/tickets', { method: 'POST', token: bearer });
    expect(response.status).toBe(201);
    return (await response.json()) as { ticket: string; expires_at: string };
  };

  it('opens one connection, at any edge, and no second one', async () => {
    const { ticket, expires_at } = await issue();
    expect(Date.parse(expires_at) - Date.now()).toBeLessThanOrEqual(30_000);
    const run = await HandRun.accept(store.log);
    const socket = await TestSocket.open(`${other.wsUrl}?ticket=${ticket}`);
    socket.send({ type: 'hello', subscribe: [{ run: run.run }] });
    await socket.next('caught_up');
    await socket.close();
    const second = await TestSocket.open(`${edge.wsUrl}?ticket=${ticket}`);
    second.send({ type: 'hello' });
    expect(await second.closing()).toMatchObject({ code: 4001 });
  });

  it('that several use at the same time lets exactly one of them in', async () => {
    const { ticket } = await issue();
    const sockets = await Promise.all(
      [edge, other, edge, other].map((at) => TestSocket.open(`${at.wsUrl}?ticket=${ticket}`)),
    );
    for (const socket of sockets) socket.send({ type: 'hello' });
    await until(() => sockets.every((socket) => socket.frames.length > 0));
    expect(sockets.map((socket) => socket.frames[0]?.type).sort()).toEqual(['error', 'error', 'error', 'welcome']);
    for (const socket of sockets) socket.cut();
  });

  it('carries no more than its token: tenant, apps and scopes', async () => {
    const run = await HandRun.accept(store.log, { app: 'app-a' });
    const { ticket } = await issue(token({ apps: ['app-b'] }));
    const socket = await TestSocket.open(`${edge.wsUrl}?ticket=${ticket}`);
    socket.send({ type: 'hello', subscribe: [{ run: run.run }] });
    expect(await socket.next('error')).toMatchObject({ code: 'forbidden' });
    socket.cut();
  });
});

describe('the end of a token', () => {
  it('closes the connection after a grace, to come back with a new one', async () => {
    const socket = await TestSocket.hello(edge.wsUrl, { token: token({ exp: inSeconds(1) }) });
    expect(await socket.closing()).toMatchObject({ code: 4200, reason: 'token_expired' });
  });

  it('is moved by a refresh, which is answered by another welcome', async () => {
    const run = await HandRun.accept(store.log);
    const socket = await TestSocket.hello(edge.wsUrl, {
      token: token({ exp: inSeconds(1) }),
      subscribe: [{ run: run.run }],
    });
    socket.send({ type: 'refresh', token: token({ exp: inSeconds(60) }) });
    const [first, second] = [await socket.next('welcome'), await socket.next('welcome', 2)];
    expect(second.session).toBe(first.session);
    expect(Date.parse(second.expires_at)).toBeGreaterThan(Date.parse(first.expires_at));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await run.start();
    await until(() => socket.of('event').length === 1);
    await socket.close();
  });

  it('lets what is subscribed go on for a while, but gives no more without a new token', async () => {
    const patient = await startTestEdge(store.nats);
    const run = await HandRun.accept(store.log);
    const another = await HandRun.accept(store.log);
    const open = async () => {
      // Within the tolerance for clocks: to be greeted, and expired a moment later.
      const late = token({ exp: inSeconds(-4) });
      const socket = await TestSocket.hello(patient.wsUrl, { token: late, subscribe: [{ run: run.run }] });
      await socket.next('caught_up');
      return socket;
    };
    const [refused, renewed] = await Promise.all([open(), open()]);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await run.start();
    await until(() => refused.of('event').length === 1);
    refused.send({ type: 'subscribe', run: another.run });
    expect(await refused.closing()).toEqual({ code: 4200, reason: 'token_expired' });
    expect(refused.of('error')).toMatchObject([{ code: 'token_expired' }]);
    renewed.send({ type: 'refresh', token: token({ exp: inSeconds(60) }) });
    renewed.send({ type: 'subscribe', run: another.run });
    await renewed.next('caught_up', 2);
    await renewed.close();
    await patient.stop();
  });

  it('cannot be moved by a token of somebody else, and what a new token forbids ends', async () => {
    const run = await HandRun.accept(store.log, { app: 'app-a' });
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    await socket.next('caught_up');
    for (const claims of [{ sub: 'user-2' }, { tenant: 't2' }]) socket.send({ type: 'refresh', token: token(claims) });
    await until(() => socket.of('error').length === 2);
    socket.send({ type: 'refresh', token: token({ apps: ['app-b'] }) });
    await until(() => socket.of('error').length === 3);
    expect(socket.of('error')[2]).toMatchObject({ code: 'forbidden', run: run.run });
    await run.start();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(socket.of('event')).toEqual([]);
    await socket.close();
  });
});
