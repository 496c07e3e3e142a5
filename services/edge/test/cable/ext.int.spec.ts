import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from '../hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, uniqueName, until } from '../harness.ts';
import { seeded } from '../seeded.ts';
import { linkOf } from './links.ts';
import { type Message, shown } from './page-model.ts';
import { anycable, type Cable, Cuttable, type Meta, watchWithAnycable } from './stock-clients.ts';

let log: TestLog;
let t: TestEdge;
const open: Cable[] = [];
beforeAll(async () => {
  log = await startTestLog(2);
  t = await startTestEdge(log.nats, { TOOLSTREAM_PARTITIONS: '2', TOOLSTREAM_DRAIN_MS: '0' });
});
afterAll(async () => {
  await t?.stop();
  await log?.stop();
});
afterEach(() => {
  for (const cable of open.splice(0)) cable.disconnect();
});

const address = (jid = token(), edge = t): string => `${edge.url.replace('http', 'ws')}/cable?jid=${jid}`;
function connect(url = address(), options: Record<string, unknown> = {}): Cable {
  const cable = anycable(url, options);
  open.push(cable);
  return cable;
}
const ended = (messages: readonly Message[]) => messages.some(({ action }) => action === 'tool_execution_complete');
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Per stream offsets grow strictly, under one epoch. */
function proveOrder(metas: readonly (Meta | undefined)[]): void {
  const last = new Map<string, Meta>();
  for (const meta of metas) {
    if (!meta) continue;
    const before = last.get(meta.stream);
    if (before) expect(meta.offset).toBeGreaterThan(before.offset);
    expect(meta.offset).toBeGreaterThanOrEqual(1);
    expect(meta.epoch).toBe(before?.epoch ?? meta.epoch);
    last.set(meta.stream, meta);
  }
}

describe('@anycable/core', () => {
  it('sees a run with the position of every message, and that its history is complete', async () => {
    const run = await HandRun.accept(log.log, { tools: 2, partition: 1 });
    await run.start();
    const page = watchWithAnycable(connect(), { run_id: run.run });
    await until(() => page.messages.length >= 2);
    await run.startTool(0);
    await run.succeedTool(0);
    await run.startTool(1);
    await run.succeedTool(1);
    await run.succeed();
    await until(() => ended(page.messages));
    expect(shown(page.messages)).toMatchObject({ lists: 1, completed: 2, total: 2 });
    expect(page.metas.every((meta) => meta !== undefined)).toBe(true);
    expect(new Set(page.metas.map((meta) => meta?.stream)).size).toBe(1);
    proveOrder(page.metas);
    expect(page.infos).toEqual(['history_received']);
  });

  it('has its session back after a lost connection, and misses and repeats nothing', async () => {
    const run = await HandRun.accept(log.log, { tools: 3 });
    const page = watchWithAnycable(connect(), { run_id: run.run });
    const untouched = watchWithAnycable(connect(), { run_id: run.run });
    await until(() => page.messages.length >= 2 && untouched.messages.length >= 2);
    const random = seeded(11);
    await run.start();
    for (const index of [0, 1, 2]) {
      await run.startTool(index);
      for (let step = 1; step <= 30; step++) {
        await run.progress(index, step);
        if (random() < 0.08) Cuttable.cutAll();
        await pause(random() * 15);
      }
      await run.succeedTool(index);
    }
    await run.succeed();
    await until(() => ended(page.messages) && ended(untouched.messages));
    expect(page.connects.some(({ restored }) => restored)).toBe(true);
    proveOrder(page.metas);
    expect(page.messages).toEqual(untouched.messages);
    const drawn = shown(page.messages);
    expect(drawn).toMatchObject({ lists: 1, completed: 3 });
    expect(page.messages.filter(({ stage }) => stage === 'working')).toHaveLength(90);
  });

  it('goes on at another edge, by its session or without', async () => {
    const other = await startTestEdge(log.nats, { TOOLSTREAM_PARTITIONS: '2', TOOLSTREAM_DRAIN_MS: '0' });
    try {
      const run = await HandRun.accept(log.log);
      const cable = connect(address(token(), other));
      const page = watchWithAnycable(cable, { run_id: run.run });
      await until(() => page.messages.length >= 2);
      await run.start();
      await run.startTool(0);
      await until(() => page.messages.length >= 3);
      const transport = cable.transport as unknown as { url: string; setURL(url: string): void };
      transport.setURL(transport.url.replace(/:\d+\//, `:${new URL(t.url).port}/`));
      // A goodbye takes the session away: the client subscribes again, and says where it stands.
      await other.stop();
      await run.progress(0, 70);
      await until(() => page.messages.some(({ progress }) => progress === 70));
      await run.succeedTool(0);
      await run.succeed();
      await until(() => ended(page.messages));
      proveOrder(page.metas);
      expect(shown(page.messages)).toMatchObject({ lists: 1, completed: 1 });
    } finally {
      await other.stop();
    }
  });

  it('follows an app over all partitions, through lost connections', async () => {
    const app = uniqueName('app');
    const runs = [await HandRun.accept(log.log, { app }), await HandRun.accept(log.log, { app, partition: 1 })];
    const page = watchWithAnycable(connect(), { app_id: app });
    await until(() => page.infos.length === 1);
    runs.push(await HandRun.accept(log.log, { app, partition: 1 }));
    for (const run of runs) await run.start();
    for (let step = 1; step <= 3; step++) {
      for (const run of runs) {
        if (step === 1) await run.startTool(0);
        await run.progress(0, step * 20);
      }
      await until(() =>
        page.messages.some(({ run_id, progress }) => run_id === runs[2]!.run && progress === step * 20),
      );
      Cuttable.cutAll();
    }
    for (const run of runs) {
      await run.succeedTool(0);
      await run.succeed();
    }
    await until(() => page.messages.filter(({ action }) => action === 'tool_execution_complete').length === 3);
    proveOrder(page.metas);
    expect(new Set(page.metas.map((meta) => meta?.stream)).size).toBe(3); // two partitions, and none
    for (const { run } of runs) {
      const drawn = shown(page.messages.filter(({ run_id }) => run_id === run));
      expect(drawn, run).toMatchObject({ lists: 1, completed: 1 });
    }
  });

  it('waits for a message’s run, and has it back after a lost connection', async () => {
    const message = uniqueName('m');
    const page = watchWithAnycable(connect(), { message_id: message });
    await until(() => page.infos.length === 1);
    const { key, link } = await linkOf(log.nc);
    const run = await HandRun.accept(log.log, { message_id: message });
    await link(key(message), run, 1);
    await until(() => page.messages.length >= 3);
    await run.start();
    await run.startTool(0);
    await until(() => page.messages.length >= 4);
    Cuttable.cutAll();
    await run.succeedTool(0);
    await run.succeed();
    await until(() => ended(page.messages));
    expect(shown(page.messages)).toMatchObject({ lists: 1, completed: 1 });
    proveOrder(page.metas);
  });

  it('is told when its position is of no use, and drawn the present state', async () => {
    const run = await HandRun.accept(log.log);
    const cable = connect();
    const page = watchWithAnycable(cable, { run_id: run.run });
    await until(() => page.messages.length >= 2);
    const { streamsPositions } = cable.protocol as unknown as { streamsPositions: Record<string, Meta> };
    for (const stream of Object.keys(streamsPositions)) streamsPositions[stream] = { stream, epoch: 'gone', offset: 7 };
    Cuttable.cutAll();
    await until(() => page.infos.includes('history_not_found'));
    await until(() => page.messages.length >= 4);
    expect(shown(page.messages).lists).toBe(2);
  });

  it('that had its session taken back is authorised again', async () => {
    const run = await HandRun.accept(log.log);
    const cable = connect();
    const page = watchWithAnycable(cable, { run_id: run.run });
    await until(() => page.messages.length >= 2);
    await pause(300);
    const transport = cable.transport as unknown as { setParam(name: string, value: string): void };
    transport.setParam('jid', token({ apps: ['other'] }));
    Cuttable.cutAll();
    await until(() => page.closes.length > 0);
    await run.start();
    await run.startTool(0);
    await pause(200);
    expect(page.messages).toHaveLength(2);
  });

  it('cannot have another caller’s session', async () => {
    const run = await HandRun.accept(log.log);
    const cable = connect();
    const page = watchWithAnycable(cable, { run_id: run.run });
    await until(() => page.messages.length >= 2);
    await pause(300);
    const sid = (cable as unknown as { sessionId: string }).sessionId;
    const thief = connect(`${address(token({ sub: 'thief' }))}&sid=${sid}`);
    const restored: unknown[] = [];
    thief.on('connect', ({ restored: was }) => restored.push(was));
    await thief.connect();
    await until(() => restored.length === 1);
    expect(restored).toEqual([false]);
  });

  it('is sent away for good when its token has expired, after the grace', async () => {
    const short = await startTestEdge(log.nats, { TOOLSTREAM_PARTITIONS: '2', TOOLSTREAM_TOKEN_GRACE_MS: '300' });
    try {
      const cable = connect(address(token({ exp: Math.floor(Date.now() / 1000) + 1 }), short));
      const closes: { reason?: string }[] = [];
      cable.on('close', (error) => closes.push((error ?? {}) as { reason?: string }));
      await cable.connect();
      await until(() => closes.length === 1);
      expect(closes[0]?.reason).toBe('token_expired');
    } finally {
      await short.stop();
    }
  });

  it('fetches another token when it is told so at the door', async () => {
    const run = await HandRun.accept(log.log);
    let refreshed = 0;
    const cable = connect(address(token({ exp: Math.floor(Date.now() / 1000) - 60 })), {
      tokenRefresher: async (transport: { setToken(token: string): void }) => {
        refreshed++;
        transport.setToken(token());
      },
    });
    const page = watchWithAnycable(cable, { run_id: run.run });
    await until(() => page.messages.length >= 2);
    expect(refreshed).toBe(1);
  });

  it('speaks v1 too', async () => {
    const run = await HandRun.accept(log.log);
    const page = watchWithAnycable(connect(address(), { protocol: 'actioncable-v1-json' }), { run_id: run.run });
    await until(() => page.messages.length >= 2);
    await run.finish();
    await until(() => ended(page.messages));
    expect(page.metas.filter(Boolean)).toEqual([]);
    expect(shown(page.messages)).toMatchObject({ lists: 1, completed: 1 });
  });

  it('is refused a channel', async () => {
    const page = watchWithAnycable(connect(), { run_id: '0-01ARZ3NDEKTSV4RRFFQ69G5FAV' });
    await until(() => page.closes.length === 1);
    expect(page.closes[0]).toMatchObject({ name: 'SubscriptionRejectedError' });
  });
});
