import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from '../hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, until } from '../harness.ts';
import { RawCable } from './raw-cable.ts';

const V1 = ['actioncable-v1-json', 'actioncable-unsupported'];
const EXT = ['actioncable-v1-ext-json'];

let log: TestLog;
let t: TestEdge;
beforeAll(async () => {
  log = await startTestLog();
  t = await startTestEdge(log.nats, { TOOLSTREAM_CABLE_PING_MS: '400', TOOLSTREAM_DRAIN_MS: '0' });
});
afterAll(async () => {
  await t?.stop();
  await log?.stop();
});

const address = (query: Record<string, string> = {}, edge = t): string =>
  `${edge.url.replace('http', 'ws')}/cable?${new URLSearchParams({ jid: token(), ...query })}`;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('A v1 connection', () => {
  it('is welcomed, and pinged in seconds often enough for a stock client', async () => {
    const cable = await RawCable.open(address());
    expect(await cable.next('welcome')).toEqual({ type: 'welcome' });
    const times: number[] = [];
    for (let count = 1; count <= 5; count++) {
      const ping = await cable.next('ping', count);
      times.push(performance.now());
      expect(Math.abs(Number(ping.message) - Date.now() / 1000)).toBeLessThan(3);
    }
    expect(times[4]! - times[0]!).toBeLessThan(4 * 400 + 200);
    cable.ws.close();
  });

  it('has its identifiers echoed byte for byte, and repeated subscriptions confirmed again', async () => {
    const run = await HandRun.accept(log.log);
    const identifier = `{ "run_id":"${run.run}",  "channel" : "ToolExecutionChannel", "é":"\\u00e9" }`;
    const cable = await RawCable.open(address());
    for (let count = 0; count < 3; count++) cable.send({ command: 'subscribe', identifier });
    await cable.next('confirm_subscription');
    cable.send({ command: 'subscribe', identifier });
    await cable.next('confirm_subscription', 2);
    await until(() => cable.data().length >= 2);
    await pause(50);
    expect(cable.data().map(({ message }) => message?.action)).toEqual([
      'tool_queue_initialized',
      'tool_execution_started',
    ]);
    for (const frame of [...cable.of('confirm_subscription'), ...cable.data()])
      expect(frame.identifier).toBe(identifier);
    expect(cable.data().every((frame) => Object.keys(frame).join() === 'identifier,message')).toBe(true);
    cable.send({ command: 'unsubscribe', identifier });
    await pause(50);
    await run.start();
    await run.startTool(0);
    await pause(100);
    expect(cable.data()).toHaveLength(2);
    cable.ws.close();
  });

  it('is sent nothing of the other protocol', async () => {
    const run = await HandRun.accept(log.log);
    const identifier = JSON.stringify({ channel: 'ToolExecutionChannel', run_id: run.run });
    const cable = await RawCable.open(address());
    for (const command of ['ping', 'pong', 'history', 'presence', 'whisper', 'join', 'nonsense'])
      cable.send({ command, identifier, history: { streams: {} } });
    cable.send({ command: 'subscribe', identifier, history: { since: 1, streams: {} } });
    await until(() => cable.data().length >= 2);
    await pause(100);
    const types = new Set(cable.frames.map(({ type }) => type ?? 'data'));
    types.delete('ping');
    expect([...types].sort()).toEqual(['confirm_subscription', 'data', 'welcome']);
    cable.ws.close();
  });

  it('that has left a channel starts over in it, though the receipt for what it was sent there comes after that', async () => {
    const run = await HandRun.accept(log.log);
    const identifier = JSON.stringify({ channel: 'ToolExecutionChannel', run_id: run.run });
    const cable = await RawCable.open(address({ page: randomUUID() }), V1, { autoPong: false });
    await cable.next('welcome');
    const asked = once(cable.ws, 'ping');
    cable.send({ command: 'subscribe', identifier });
    await until(() => cable.data().length >= 2);
    await asked;
    cable.send({ command: 'unsubscribe', identifier });
    cable.ws.pong();
    cable.send({ command: 'subscribe', identifier });
    await until(() => cable.data().length >= 4);
    cable.ws.close();
  });

  it('ends with a reason', async () => {
    const invalid = await RawCable.open(address());
    invalid.send('{"command"');
    expect(await invalid.ended()).toEqual({
      code: 4000,
      goodbye: { type: 'disconnect', reason: 'invalid_request', reconnect: false },
    });
    const unknown = await RawCable.open(address({ jid: 'nobody' }));
    expect(await unknown.ended()).toEqual({
      code: 4001,
      goodbye: { type: 'disconnect', reason: 'unauthorized', reconnect: false },
    });
    const weak = await RawCable.open(address({ jid: token({ scope: 'runs:write' }) }));
    expect((await weak.ended()).goodbye).toEqual({ type: 'disconnect', reason: 'unauthorized', reconnect: false });
  });

  it('is refused before the upgrade from a foreign page, or with no protocol of ours', async () => {
    await expect(RawCable.open(address(), ['graphql-ws'])).rejects.toThrow('HTTP 400');
    const { default: WebSocket } = await import('ws');
    const foreign = new WebSocket(address(), V1, { origin: 'https://evil.example' });
    const status = await new Promise((resolve) =>
      foreign.once('unexpected-response', (_, res) => resolve(res.statusCode)),
    );
    expect(status).toBe(403);
    foreign.on('error', () => {});
    foreign.terminate();
  });

  it('whose token runs out may come back with another', async () => {
    const edge = await startTestEdge(log.nats, { TOOLSTREAM_TOKEN_GRACE_MS: '100', TOOLSTREAM_CABLE_PING_MS: '400' });
    const cable = await RawCable.open(address({ jid: token({ exp: Math.floor(Date.now() / 1000) + 1 }) }, edge));
    expect(await cable.ended()).toEqual({
      code: 4200,
      goodbye: { type: 'disconnect', reason: 'unauthorized', reconnect: true },
    });
    await edge.stop();
  });

  it('is told of a drain, to come back', async () => {
    const edge = await startTestEdge(log.nats, { TOOLSTREAM_DRAIN_MS: '0' });
    const cables = [await RawCable.open(address({}, edge)), await RawCable.open(address({}, edge), EXT)];
    for (const cable of cables) await cable.next('welcome');
    await edge.stop();
    for (const cable of cables)
      expect(await cable.ended()).toEqual({
        code: 4201,
        goodbye: { type: 'disconnect', reason: 'server_restart', reconnect: true },
      });
  });
});

describe('An ext-json connection', () => {
  it('is told about history later than about its subscription, and after what it missed', async () => {
    const run = await HandRun.accept(log.log);
    const identifier = JSON.stringify({ channel: 'ToolExecutionChannel', run_id: run.run });
    const cable = await RawCable.open(address(), EXT);
    expect(await cable.next('welcome')).toMatchObject({ sid: expect.any(String) });
    cable.send({ command: 'subscribe', identifier, history: { since: 1, streams: {} } });
    await cable.next('confirm_subscription');
    const confirmed = performance.now();
    await cable.next('confirm_history');
    expect(performance.now() - confirmed).toBeGreaterThan(10);
    expect(cable.frames.map(({ type }) => type ?? 'data').filter((type) => type !== 'ping')).toEqual([
      'welcome',
      'confirm_subscription',
      'data',
      'data',
      'confirm_history',
    ]);
    const [first, second] = cable.data();
    expect(first).toMatchObject({
      stream_id: expect.any(String),
      epoch: expect.any(String),
      offset: expect.any(Number),
    });
    expect(second!.stream_id).toBe(first!.stream_id);
    cable.ws.close();
  });

  it('is answered its pings, and told that there is no presence', async () => {
    const cable = await RawCable.open(address(), EXT);
    cable.send({ command: 'ping' });
    cable.send({ command: 'pong' });
    cable.send({ command: 'presence', identifier: 'I', data: {} });
    expect(await cable.next('pong')).toEqual({ type: 'pong' });
    expect(await cable.next('presence')).toMatchObject({ identifier: 'I', message: { type: 'error' } });
    cable.ws.close();
  });

  it('takes a session back once, and waits for its positions before it goes on', async () => {
    const run = await HandRun.accept(log.log);
    const identifier = JSON.stringify({ channel: 'ToolExecutionChannel', run_id: run.run });
    const cable = await RawCable.open(address(), EXT);
    const { sid } = await cable.next('welcome');
    cable.send({ command: 'subscribe', identifier });
    await until(() => cable.data().length >= 2);
    const { stream_id, epoch, offset } = cable.data().at(-1)!;
    await pause(300);
    cable.ws.terminate();
    await run.start();
    await run.startTool(0);
    const back = await RawCable.open(address({ sid: String(sid) }), EXT);
    expect(await back.next('welcome')).toMatchObject({ restored: true, restored_ids: [identifier] });
    await run.progress(0, 10);
    await pause(100);
    expect(back.data()).toEqual([]);
    back.send({
      command: 'history',
      identifier,
      history: { since: 1, streams: { [String(stream_id)]: { offset, epoch } } },
    });
    await back.next('confirm_history');
    expect(back.data().map(({ message }) => message?.action)).toEqual(['tool_status_update', 'tool_progress_update']);
    const again = await RawCable.open(address({ sid: String(sid) }), EXT);
    expect(await again.next('welcome')).not.toHaveProperty('restored');
    back.ws.close();
    again.ws.close();
  });

  it('that says nothing about its positions is drawn the present state', async () => {
    const run = await HandRun.accept(log.log);
    const identifier = JSON.stringify({ channel: 'ToolExecutionChannel', run_id: run.run });
    const cable = await RawCable.open(address(), EXT);
    const { sid } = await cable.next('welcome');
    cable.send({ command: 'subscribe', identifier });
    await until(() => cable.data().length >= 2);
    await pause(300);
    cable.ws.terminate();
    const back = await RawCable.open(address({ sid: String(sid) }), EXT);
    await back.next('welcome');
    await until(() => back.data().length >= 2, 5_000);
    back.ws.close();
  });

  it('is told the truth about a position of the future, then the present state', async () => {
    const run = await HandRun.accept(log.log);
    const identifier = JSON.stringify({ channel: 'ToolExecutionChannel', run_id: run.run });
    const cable = await RawCable.open(address(), EXT);
    await cable.next('welcome');
    cable.send({ command: 'subscribe', identifier });
    await until(() => cable.data().length >= 2);
    const { stream_id, epoch, offset } = cable.data().at(-1)!;
    const other = await RawCable.open(address(), EXT);
    const streams = { [String(stream_id)]: { offset: Number(offset) + 2048 * 1_000_000, epoch } };
    other.send({ command: 'subscribe', identifier, history: { since: 1, streams } });
    await until(() => other.data().length >= 2);
    expect(other.frames.some(({ type }) => type === 'reject_history')).toBe(true);
    expect(other.frames.some(({ type }) => type === 'confirm_history')).toBe(false);
    cable.ws.close();
    other.ws.close();
  });
});
