import { headers, type NatsConnection } from '@nats-io/nats-core';
import { Svcm } from '@nats-io/services';
import { type NatsServer, startEphemeralNats } from '@toolstream/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type CommandService,
  connectNats,
  createLogger,
  request,
  serveCommands,
  UnavailableError,
} from '../src/index.ts';

const lines: string[] = [];
const log = createLogger({ name: 'test', destination: { write: (line: string) => void lines.push(line) } });
let nats: NatsServer;
let nc: NatsConnection;
let service: CommandService | undefined;

beforeAll(async () => {
  nats = await startEphemeralNats();
});
afterAll(() => nats?.stop());
beforeEach(async () => {
  lines.length = 0;
  nc = await connectNats(nats.url, 'test', log);
});
afterEach(async () => {
  await service?.stop();
  service = undefined;
  await nc.close();
});

const serve = async (handler: (body: unknown, traceparent?: string) => unknown, concurrency?: number) => {
  service = await serveCommands(nc, {
    name: 'orchestrator',
    version: '1.2.3',
    log,
    ...(concurrency === undefined ? {} : { concurrency }),
    endpoints: { pause: { subject: 'ts.cmd.pause', handler: (body, h) => handler(body, h?.get('traceparent')) } },
  });
};
const ask = (body: unknown, timeoutMs = 2_000) => request(nc, 'ts.cmd.pause', body, { timeoutMs });

describe('command endpoints', () => {
  it('answer what the handler returns, and hand it the headers', async () => {
    await serve((body, traceparent) => ({ ok: true, body, traceparent }));
    const h = headers();
    h.set('traceparent', '00-a-b-01');
    const answer = await request(nc, 'ts.cmd.pause', { run: 'r' }, { timeoutMs: 2_000, headers: h });
    expect(answer).toEqual({ ok: true, body: { run: 'r' }, traceparent: '00-a-b-01' });
  });

  it('are discovered and counted by the micro protocol', async () => {
    await serve(() => ({ ok: true }));
    await ask({});
    const client = new Svcm(nc as unknown as ConstructorParameters<typeof Svcm>[0]).client({
      strategy: 'count',
      maxWait: 500,
      maxMessages: 1,
    });
    const found = [];
    for await (const stats of await client.stats('orchestrator')) found.push(stats);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      name: 'orchestrator',
      version: '1.2.3',
      endpoints: [{ name: 'pause', num_requests: 1 }],
    });
  });

  it('answer `internal` and log when the handler throws', async () => {
    await serve(() => {
      throw new Error('secret detail');
    });
    const answer = await ask({});
    expect(answer).toMatchObject({ ok: false, error: { code: 'internal' } });
    expect(JSON.stringify(answer)).not.toContain('secret detail');
    expect(lines.join('')).toContain('secret detail');
  });

  it('answer `bad_json` to what is no JSON', async () => {
    await serve(() => ({ ok: true }));
    const reply = await nc.request('ts.cmd.pause', '{', { timeout: 2_000 });
    expect(reply.json()).toMatchObject({ ok: false, error: { code: 'bad_json' } });
  });

  it('answer `busy` at once beyond their concurrency, and go on when a place is free', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    await serve(() => gate.then(() => ({ ok: true })), 2);
    const first = [ask({}), ask({})];
    await expect.poll(() => service?.inFlight).toBe(2);
    expect(await ask({})).toMatchObject({ ok: false, error: { code: 'busy', retry_after_s: 1 } });
    release();
    expect(await Promise.all(first)).toEqual([{ ok: true }, { ok: true }]);
    expect(await ask({})).toEqual({ ok: true });
  });

  it('answer an error instead of leaving the asker without one when the answer is too large', async () => {
    await serve(() => 'x'.repeat(2 * 1024 * 1024));
    expect(await ask({})).toMatchObject({ ok: false, error: { code: 'internal' } });
  });

  it('answer everything that was taken before they stop', async () => {
    await serve(() => new Promise((resolve) => setTimeout(resolve, 100, { ok: true })));
    const pending = ask({});
    await expect.poll(() => service?.inFlight).toBe(1);
    await service?.stop();
    expect(await pending).toEqual({ ok: true });
    await expect(ask({})).rejects.toBeInstanceOf(UnavailableError);
  });
});

describe('a request', () => {
  it('that nobody listens to fails at once as unavailable', async () => {
    await expect(request(nc, 'ts.cmd.nobody', {}, { timeoutMs: 5_000 })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('No service answers'),
    });
  });

  it('that is not answered in time fails as unavailable', async () => {
    await serve(() => new Promise((resolve) => setTimeout(resolve, 400, { ok: true })));
    await expect(ask({}, 50)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('fails as unavailable, not later than its timeout, while the server is away', async () => {
    const own = await startEphemeralNats();
    const client = await connectNats(own.url, 'test', log);
    await own.kill9();
    await expect(request(client, 'ts.cmd.pause', {}, { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    await client.close();
    await own.stop();
  });
});
