import type { CommandService } from '@toolstream/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, until } from './harness.ts';
import { standInOrchestrator } from './orchestrator-stand-in.ts';
import { TestSocket } from './socket-client.ts';

let store: TestLog;
let edge: TestEdge;
let orchestrator: CommandService;
const asked: Record<string, unknown>[] = [];

const env = {
  TOOLSTREAM_FRAMES_PER_SECOND: '20',
  TOOLSTREAM_MAX_SUBSCRIPTIONS: '3',
  TOOLSTREAM_ALLOWED_ORIGINS: 'https://app.example.com',
  TOOLSTREAM_DEV: '0',
};

beforeAll(async () => {
  store = await startTestLog();
  orchestrator = await standInOrchestrator(store.nc, ({ name, body }) => {
    asked.push({ name, ...body });
    return { ok: true, cursor: 'e.0:9' };
  });
  edge = await startTestEdge(store.nats, env);
});
afterAll(async () => {
  await edge.stop();
  await orchestrator.stop();
  await store.stop();
});

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

/** What an upgrade is answered that is none. */
async function refusedUpgrade(url: string, options: WebSocket.ClientOptions = {}, protocols = ['toolstream.v1.json']) {
  return new Promise<{ status: number; body: { code: string }; headers: Record<string, unknown> }>(
    (resolve, reject) => {
      const ws = new WebSocket(url, protocols, options);
      ws.on('open', () => reject(new Error('it opened')));
      ws.on('error', () => {});
      ws.on('unexpected-response', (_request, response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => {
          resolve({ status: response.statusCode!, body: JSON.parse(text), headers: response.headers });
        });
      });
    },
  );
}

describe('the upgrade', () => {
  it('negotiates only its own subprotocol', async () => {
    const socket = await TestSocket.open(edge.wsUrl, { protocols: ['other', 'toolstream.v1.json'] });
    expect(socket.ws.protocol).toBe('toolstream.v1.json');
    expect(socket.ws.extensions).toBe('');
    socket.cut();
    expect(await refusedUpgrade(edge.wsUrl, {}, ['other'])).toMatchObject({
      status: 400,
      body: { code: 'bad_request' },
    });
  });

  it('takes exactly the allowed origins, and clients that are no browser', async () => {
    const socket = await TestSocket.hello(edge.wsUrl, { origin: 'https://app.example.com' });
    await socket.close();
    for (const origin of [
      'https://app.example.com.evil.com',
      'http://app.example.com',
      'http://localhost:3000',
      'null',
    ]) {
      expect(await refusedUpgrade(edge.wsUrl, { origin })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
  });

  it('is refused as a problem where no upgrade was asked for', async () => {
    const response = await edge.fetch('/ws');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'bad_request' });
  });
});

describe('the greeting', () => {
  it('tells session, heartbeat, expiry and epoch', async () => {
    const exp = inSeconds(60);
    const socket = await TestSocket.hello(edge.wsUrl, { token: token({ exp }) });
    expect(await socket.next('welcome')).toMatchObject({
      heartbeat_ms: 15_000,
      expires_at: new Date(exp * 1000).toISOString(),
      epoch: store.log.epoch(0),
    });
    await socket.close();
  });

  it.each([
    [
      'a command',
      '{"type":"command","id":"c","run":"0-01ARZ3NDEKTSV4RRFFQ69G5FAV","command":"pause"}',
      'hello_expected',
      4000,
    ],
    ['an unknown frame', '{"type":"what"}', 'hello_expected', 4000],
    ['no JSON', 'hello', 'hello_expected', 4000],
    ['a hello that is not one', '{"type":"hello","token":5}', 'bad_frame', 4000],
    ['a hello without a token', '{"type":"hello"}', 'unauthenticated', 4001],
    ['a bad token', '{"type":"hello","token":"x"}', 'unauthenticated', 4001],
  ])('is refused after %s', async (_what, frame, code, close) => {
    const socket = await TestSocket.open(edge.wsUrl);
    socket.send(frame);
    expect(await socket.closing()).toMatchObject({ code: close });
    expect(socket.of('error')).toEqual([expect.objectContaining({ code })]);
    expect(socket.of('bye')).toEqual([expect.objectContaining({ code: close })]);
  });

  it('sends an expired token for a new one, and a token without scopes away for good', async () => {
    const expired = await TestSocket.open(edge.wsUrl);
    expired.send({ type: 'hello', token: token({ exp: inSeconds(-60) }) });
    expect(await expired.closing()).toMatchObject({ code: 4200, reason: 'token_expired' });
    const powerless = await TestSocket.open(edge.wsUrl);
    powerless.send({ type: 'hello', token: token({ scope: '' }) });
    expect(await powerless.closing()).toMatchObject({ code: 4003 });
  });

  it('must come in time', async () => {
    const hasty = await startTestEdge(store.nats, { ...env, TOOLSTREAM_HELLO_TIMEOUT_MS: '100' });
    const socket = await TestSocket.open(hasty.wsUrl);
    expect(await socket.closing()).toMatchObject({ code: 4008, reason: 'hello_timeout' });
    await hasty.stop();
  });

  it('handles frames that arrive while the token is still checked, in their order', async () => {
    const run = await HandRun.accept(store.log);
    const socket = await TestSocket.open(edge.wsUrl);
    socket.send({ type: 'hello', token: token() });
    socket.send({ type: 'subscribe', run: run.run });
    socket.send({ type: 'hello', token: token() });
    await socket.next('caught_up');
    expect(socket.frames[0]?.type).toBe('welcome');
    expect(socket.of('error')).toEqual([expect.objectContaining({ code: 'hello_repeated' })]);
    await socket.close();
  });
});

describe('an open connection', () => {
  it.each([
    ['an unknown frame', '{"type":"what","id":"x"}', 'unknown_frame'],
    ['no JSON', '{"type":', 'bad_json'],
    ['no object', '7', 'bad_frame'],
    ['a frame without its fields', '{"type":"subscribe"}', 'bad_frame'],
    ['a run id with a wildcard', '{"type":"subscribe","run":"0-*"}', 'bad_frame'],
    ['an app with a dot', '{"type":"subscribe","app":"a.b"}', 'bad_frame'],
    ['an app with >', '{"type":"subscribe","app":">"}', 'bad_frame'],
    ['an app with a line break', '{"type":"subscribe","app":"a\\n"}', 'bad_frame'],
    ['deep nesting', `{"type":"pong","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 'bad_frame'],
    ['a second hello', '{"type":"hello"}', 'hello_repeated'],
  ])('stays open after %s', async (_what, frame, code) => {
    const socket = await TestSocket.hello(edge.wsUrl);
    socket.send(frame);
    expect(await socket.next('error')).toMatchObject({ code });
    const run = await HandRun.accept(store.log);
    socket.send({ type: 'subscribe', run: run.run });
    await socket.next('snapshot');
    await socket.close();
  });

  it('refuses binary frames, and closes on frames beyond 64 KiB', async () => {
    const socket = await TestSocket.hello(edge.wsUrl);
    socket.ws.send(Buffer.from('{"type":"pong"}'));
    expect(await socket.next('error')).toMatchObject({ code: 'bad_frame' });
    socket.send({ type: 'pong', positions: { a: 'x'.repeat(70_000) } });
    expect(await socket.closing()).toMatchObject({ code: 1009 });
  });

  it('holds a bounded number of subscriptions, and frees the place of one that is given up', async () => {
    const runs = await Promise.all(Array.from({ length: 4 }, () => HandRun.accept(store.log)));
    const socket = await TestSocket.hello(edge.wsUrl);
    for (const { run } of runs) socket.send({ type: 'subscribe', run });
    expect(await socket.next('error')).toMatchObject({ code: 'too_many_subscriptions', run: runs[3]!.run });
    await socket.next('caught_up', 3);
    socket.send({ type: 'unsubscribe', run: runs[0]!.run });
    socket.send({ type: 'subscribe', run: runs[3]!.run });
    await until(() => socket.of('caught_up').length === 4);
    await runs[0]!.start();
    await runs[3]!.start();
    await until(() => socket.of('event').length === 1);
    expect(socket.of('event')[0]?.run).toBe(runs[3]!.run);
    await socket.close();
  });

  it('starts a repeated subscription anew, from the cursor that it names', async () => {
    const run = await HandRun.accept(store.log);
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    await socket.next('caught_up');
    socket.send({ type: 'subscribe', run: run.run, cursor: 'start' });
    await socket.next('caught_up', 2);
    await run.start();
    await until(() => socket.of('event').length === 2);
    expect(socket.of('event').map((frame) => (frame.event as { type: string }).type)).toEqual([
      'run.accepted.v1',
      'run.started.v1',
    ]);
    await socket.close();
  });

  it('answers commands with the cursor, under the id of the frame', async () => {
    const run = await HandRun.accept(store.log);
    const socket = await TestSocket.hello(edge.wsUrl);
    socket.send({ type: 'command', id: 'c1', run: run.run, command: 'pause', args: { reason: 'lunch' } });
    expect(await socket.next('ack')).toEqual({ type: 'ack', id: 'c1', cursor: 'e.0:9' });
    expect(asked.at(-1)).toMatchObject({ name: 'pause', run: run.run, tenant: 't1', actor: 'user-1', reason: 'lunch' });
    socket.send({ type: 'command', id: 'c2', run: run.run, command: 'approve_tool', args: { arguments: { x: 1 } } });
    expect(await socket.next('error')).toMatchObject({ id: 'c2', run: run.run, code: 'bad_frame' });
    socket.send({
      type: 'command',
      id: 'c3',
      run: run.run,
      command: 'approve_tool',
      args: { index: 0, arguments: [1] },
    });
    await socket.next('ack', 2);
    expect(asked.at(-1)).toMatchObject({ name: 'approve_tool', index: 0, arguments: [1] });
    await socket.close();
  });

  it('makes short ids unique to itself, and takes long ones as unique to the user', async () => {
    const run = await HandRun.accept(store.log);
    const ids: unknown[] = [];
    for (const id of ['c1', 'c1', 'a-long-id-that-is-unique', 'a-long-id-that-is-unique']) {
      const socket = await TestSocket.hello(edge.wsUrl);
      socket.send({ type: 'command', id, run: run.run, command: 'pause' });
      await socket.next('ack');
      ids.push(asked.at(-1)!.command_id);
      await socket.close();
    }
    expect(ids[0]).not.toBe(ids[1]);
    expect(ids[2]).toBe(ids[3]);
  });

  it('needs the scope for commands, and for subscriptions', async () => {
    const run = await HandRun.accept(store.log);
    const reader = await TestSocket.hello(edge.wsUrl, { token: token({ scope: 'runs:read' }) });
    reader.send({ type: 'command', id: 'c1', run: run.run, command: 'pause' });
    expect(await reader.next('error')).toMatchObject({ id: 'c1', code: 'forbidden' });
    await reader.close();
    const controller = await TestSocket.hello(edge.wsUrl, { token: token({ scope: 'runs:control' }) });
    controller.send({ type: 'subscribe', run: run.run });
    expect(await controller.next('error')).toMatchObject({ run: run.run, code: 'forbidden' });
    await controller.close();
  });

  it('is told to slow down, and closed when it does not listen', async () => {
    const socket = await TestSocket.hello(edge.wsUrl);
    for (let at = 0; at < 60; at++) socket.send({ type: 'unsubscribe', app: 'none' });
    expect(await socket.next('error')).toMatchObject({ code: 'rate_limited', app: 'none' });
    for (let at = 0; at < 300; at++) socket.send({ type: 'unsubscribe', app: 'none' });
    expect(await socket.closing()).toMatchObject({ code: 4100, reason: 'rate_limited' });
  });
});

describe('heartbeat', () => {
  let beating: TestEdge;
  beforeAll(async () => {
    beating = await startTestEdge(store.nats, { ...env, TOOLSTREAM_HEARTBEAT_MS: '400' });
  });
  afterAll(() => beating.stop());

  it('pings, and lives on while the client answers', async () => {
    const socket = await TestSocket.hello(beating.wsUrl);
    await socket.next('ping', 3);
    socket.send({ type: 'pong', positions: {} });
    await socket.next('ping', 5);
    expect(socket.closed).toBeUndefined();
    await socket.close();
  });

  it('ends a connection whose peer is silent', async () => {
    const socket = await TestSocket.open(beating.wsUrl);
    socket.ws.on('error', () => {});
    socket.send({ type: 'hello', token: token() });
    await socket.next('welcome');
    // A peer that is gone answers nothing, not even on the protocol's own level.
    (socket.ws as unknown as { _autoPong: boolean })._autoPong = false;
    expect((await socket.closing()).code).toBe(4203);
  });
});
