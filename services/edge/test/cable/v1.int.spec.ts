import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from '../hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, uniqueName, until } from '../harness.ts';
import { linkOf } from './links.ts';
import { type Message, shown } from './page-model.ts';
import { Cuttable, rails, watchWithRails } from './stock-clients.ts';

let log: TestLog;
let t: TestEdge;
const open: { disconnect(): void }[] = [];
beforeAll(async () => {
  log = await startTestLog();
  t = await startTestEdge(log.nats, { TOOLSTREAM_DRAIN_MS: '0' });
});
afterAll(async () => {
  await t?.stop();
  await log?.stop();
});
afterEach(() => {
  for (const consumer of open.splice(0)) consumer.disconnect();
});

const address = (query: Record<string, string> = {}, edge = t): string =>
  `${edge.url.replace('http', 'ws')}/cable?${new URLSearchParams({ jid: token(), ...query })}`;
function consumer(query: Record<string, string> = {}, edge = t) {
  const made = rails(address(query, edge));
  open.push(made);
  return made;
}
const actions = (messages: readonly Message[]) => messages.map(({ action }) => action);
const ended = (messages: readonly Message[]) => actions(messages).includes('tool_execution_complete');

describe('@rails/actioncable', () => {
  it('sees a run from its beginning to its end', async () => {
    const run = await HandRun.accept(log.log, { tools: 2 });
    const page = watchWithRails(consumer(), { run_id: run.run });
    await until(() => page.messages.length >= 2);
    await run.finish(3);
    await until(() => ended(page.messages));
    expect(page.connected).toEqual([{ reconnected: false }]);
    expect(actions(page.messages).slice(0, 3)).toEqual([
      'tool_queue_initialized',
      'tool_execution_started',
      'tool_status_update',
    ]);
    const drawn = shown(page.messages);
    expect(drawn.tools).toMatchObject([
      { name: 'echo', badge: 'complete', width: '100%' },
      { name: 'echo', badge: 'complete', width: '100%' },
    ]);
    expect(drawn).toMatchObject({ completed: 2, total: 2, lists: 1, summaries: [{ successful: 2, total_tools: 2 }] });
    expect(page.messages.every(({ run_id, app_id }) => run_id === run.run && app_id === 'app-1')).toBe(true);
  });

  it('that comes late is drawn the present state, once', async () => {
    const run = await HandRun.accept(log.log, { tools: 2 });
    await run.start();
    await run.startTool(0);
    await run.progress(0, 40, 'Writing');
    const page = watchWithRails(consumer(), { run_id: run.run });
    await until(() => page.messages.length >= 4);
    expect(page.messages).toMatchObject([
      { action: 'tool_queue_initialized', queue_size: 2 },
      { action: 'tool_execution_started' },
      { action: 'tool_status_update', status: 'starting', tool_index: 0 },
      { action: 'tool_progress_update', progress: 40, message: 'Writing' },
    ]);
    await run.succeedTool(0);
    await run.startTool(1);
    await run.succeedTool(1);
    await run.succeed();
    const late = watchWithRails(consumer(), { run_id: run.run });
    await until(() => ended(page.messages) && ended(late.messages));
    expect(shown(late.messages).tools).toEqual(shown(page.messages).tools);
  });

  it('may subscribe to a message before it has a run, by number, and follows the newest', async () => {
    const message = String(100_000 + Math.floor(Math.random() * 900_000));
    const page = watchWithRails(consumer(), { message_id: Number(message) });
    await until(() => page.messages.length === 1);
    expect(page.messages[0]).toMatchObject({ action: 'tool_queue_initialized', queue_size: 0, message_id: message });
    const { key, link } = await linkOf(log.nc);
    const first = await HandRun.accept(log.log, { message_id: message });
    await link(key(message), first, 1);
    await until(() => page.messages.length >= 3);
    const second = await HandRun.accept(log.log, { message_id: message });
    await link(key(message), second, 2);
    await until(() => page.messages.at(-1)?.run_id === second.run);
    await second.finish();
    await until(() => ended(page.messages));
    expect(page.messages.slice(1).every(({ message_id }) => message_id === message)).toBe(true);
    expect(shown(page.messages.filter(({ run_id }) => run_id === second.run)).completed).toBe(1);
  });

  it('sees every run of an app, each message naming its run', async () => {
    const app = uniqueName('app');
    const [one, two] = [await HandRun.accept(log.log, { app }), await HandRun.accept(log.log, { app })];
    const page = watchWithRails(consumer(), { app_id: app });
    await until(() => page.messages.some((message) => message.run_id === undefined));
    expect(page.messages.at(-1)).toMatchObject({ action: 'tool_queue_initialized', queue_size: 2, app_id: app });
    const three = await HandRun.accept(log.log, { app });
    await Promise.all([one.finish(), two.finish(), three.finish()]);
    await until(() => page.messages.filter(({ action }) => action === 'tool_execution_complete').length === 3);
    for (const { run } of [one, two, three]) {
      const drawn = shown(page.messages.filter(({ run_id }) => run_id === run));
      expect(drawn).toMatchObject({ lists: 1, completed: 1, tools: [{ width: '100%' }] });
    }
  });

  it('is refused what does not exist, is another tenant’s, or is no channel of ours', async () => {
    const foreign = await HandRun.accept(log.log, { tenant: 't2' });
    const cable = consumer();
    const pages = [
      watchWithRails(cable, { run_id: '0-01ARZ3NDEKTSV4RRFFQ69G5FAV' }),
      watchWithRails(cable, { run_id: foreign.run }),
      watchWithRails(cable, { message_id: 'a.b' }),
    ];
    const other = cable.subscriptions.create({ channel: 'ChatChannel' }, { rejected: () => chat++ });
    let chat = 0;
    await until(() => pages.every(({ rejected }) => rejected === 1) && chat === 1);
    expect(other.identifier).toContain('ChatChannel');
    const narrow = consumer({ jid: token({ apps: ['other'] }) });
    const run = await HandRun.accept(log.log);
    const page = watchWithRails(narrow, { run_id: run.run });
    await until(() => page.rejected === 1);
  });

  it('without a valid token is told so and stays away', async () => {
    for (const jid of ['nonsense', token({ exp: Math.floor(Date.now() / 1000) - 60 })]) {
      const cable = consumer({ jid });
      const page = watchWithRails(cable, { run_id: '0-01ARZ3NDEKTSV4RRFFQ69G5FAV' });
      await until(() => page.disconnected.length > 0);
      expect(page.disconnected).toEqual([{ willAttemptReconnect: false }]);
    }
  });

  it('signs in by ticket, or by subprotocol, which is not echoed', async () => {
    const run = await HandRun.accept(log.log);
    const { ticket } = (await (await t.fetch('/v1/tickets', { method: 'POST' })).json()) as { ticket: string };
    const byTicket = watchWithRails(consumer({ jid: '', ticket }), { run_id: run.run });
    const cable = rails(address({ jid: '' }));
    open.push(cable);
    cable.addSubProtocol(`anycable-token.${token()}`);
    const byProtocol = watchWithRails(cable, { run_id: run.run });
    await until(() => byTicket.messages.length >= 2 && byProtocol.messages.length >= 2);
    expect(cable.connection.webSocket.protocol).toBe('actioncable-v1-json');
  });
});

describe('@rails/actioncable that reconnects', () => {
  it('draws everything again where nobody knows which page it is', async () => {
    const run = await HandRun.accept(log.log);
    const page = watchWithRails(consumer(), { run_id: run.run });
    await until(() => page.messages.length >= 2);
    Cuttable.cutAll();
    await until(() => page.connected.length === 2 && page.messages.length >= 4);
    expect(page.connected[1]).toEqual({ reconnected: true });
    expect(shown(page.messages).lists).toBe(2);
  });

  it('goes on after the last message with a page nonce, whatever happened meanwhile', async () => {
    const run = await HandRun.accept(log.log, { tools: 2 });
    const page = watchWithRails(consumer({ page: randomUUID() }), { run_id: run.run });
    await until(() => page.messages.length >= 2);
    await run.start();
    await run.startTool(0);
    await run.progress(0, 50);
    await until(() => page.messages.at(-1)?.progress === 50);
    await Cuttable.receipts();
    Cuttable.cutAll();
    await run.succeedTool(0);
    await run.startTool(1);
    await until(() => page.connected.length === 2);
    await run.succeedTool(1);
    await run.succeed();
    await until(() => ended(page.messages));
    const drawn = shown(page.messages);
    expect(drawn).toMatchObject({ lists: 1, completed: 2 });
    expect(drawn.summaries).toHaveLength(1);
    expect(new Set(page.messages.map((message) => JSON.stringify(message))).size).toBe(page.messages.length);
    await Cuttable.receipts();
    Cuttable.cutAll();
    await until(() => page.connected.length === 3);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(shown(page.messages).summaries).toHaveLength(1);
  });

  it('goes on at another edge', async () => {
    const other = await startTestEdge(log.nats, { TOOLSTREAM_DRAIN_MS: '0' });
    try {
      const run = await HandRun.accept(log.log);
      const page = randomUUID();
      let edge = other;
      const cable = rails(() => address({ page }, edge));
      open.push(cable);
      const seen = watchWithRails(cable, { run_id: run.run });
      await until(() => seen.messages.length >= 2);
      await run.start();
      await run.startTool(0);
      await until(() => seen.messages.length >= 3);
      edge = t;
      await other.stop();
      await run.succeedTool(0);
      await run.succeed();
      await until(() => ended(seen.messages));
      expect(seen.disconnected[0]).toEqual({ willAttemptReconnect: true });
      expect(shown(seen.messages)).toMatchObject({ lists: 1, completed: 1 });
      expect(new Set(seen.messages.map((message) => JSON.stringify(message))).size).toBe(seen.messages.length);
    } finally {
      await other.stop();
    }
  });

  it('starts over in a channel that it left by itself', async () => {
    const run = await HandRun.accept(log.log);
    const cable = consumer({ page: randomUUID() });
    const first = watchWithRails(cable, { run_id: run.run });
    await until(() => first.messages.length >= 2);
    first.subscription.unsubscribe();
    const second = watchWithRails(cable, { run_id: run.run });
    await until(() => second.messages.length >= 2);
    expect(shown(second.messages).lists).toBe(1);
  });
});
