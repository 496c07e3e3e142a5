import { setTimeout as sleep } from 'node:timers/promises';
import { commandSubject, type RunState } from '@toolstream/proto-events';
import { type CommandService, serveCommands } from '@toolstream/service-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { HandRun } from '../../../services/edge/test/hand-run.ts';
import {
  startTestEdge,
  startTestLog,
  type TestEdge,
  type TestLog,
  token,
  uniqueName,
} from '../../../services/edge/test/harness.ts';
import { clientWith } from '../src/client.ts';
import type { Client, ClientOptions, ConnectionState, RunWatch, TransportName } from '../src/index.ts';
import { STREAMS_AT_ONCE } from '../src/sse.ts';
import { TIMING, type Timing } from '../src/timing.ts';
import { Middlebox } from './middlebox.ts';

/** What nobody wants to sit through. Everything else is as it is in use. */
const QUICK: Timing = {
  ...TIMING,
  slowGreetingMs: 300,
  steadyMs: 1_000,
  holdMs: 100,
  probeMinMs: 300,
  probeMaxMs: 600,
  reachMs: 1_000,
  streamOpenMs: 400,
  pollMinMs: 20,
  pollMaxMs: 80,
  recentMs: 500,
  aliveMs: 200,
};

/** A small generator of numbers that look random and are the same every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

let store: TestLog;
let edge: TestEdge;
let orchestrator: CommandService;
let proxy: Middlebox;
const commands: { name: string; command_id: string }[] = [];
let answerAfterMs = 0;

beforeAll(async () => {
  store = await startTestLog();
  const names = ['pause', 'resume'];
  const handler = (name: string) => async (body: unknown) => {
    commands.push({ name, command_id: (body as { command_id: string }).command_id });
    await sleep(answerAfterMs);
    return { ok: true, cursor: 'e.0:7' };
  };
  orchestrator = await serveCommands(store.nc, {
    name: 'orchestrator',
    version: '0.0.1',
    endpoints: Object.fromEntries(
      names.map((name) => [name, { subject: commandSubject(name), handler: handler(name) }]),
    ),
  });
  edge = await startTestEdge(store.nats, { TOOLSTREAM_TOKEN_GRACE_MS: '50', TOOLSTREAM_HEARTBEAT_MS: '1000' });
});
afterAll(async () => {
  await edge.stop();
  await orchestrator.stop();
  await store.stop();
});
beforeEach(async () => {
  commands.length = 0;
  answerAfterMs = 0;
  // Delays before retries near their least.
  const random = seeded(1);
  vi.spyOn(Math, 'random').mockImplementation(() => random() / 10);
  proxy = await Middlebox.start(edge.url);
  return () => {
    vi.restoreAllMocks();
    return proxy.stop();
  };
});

function connect(options: Partial<ClientOptions> = {}, timing: Partial<Timing> = {}): Client {
  const client = clientWith({ url: proxy.url, token: () => token(), ...options }, { ...QUICK, ...timing });
  onTestFinished(() => client.close());
  return client;
}

/** Collects the cursors of a watch's events: what must be the log, each once and in order. */
function cursors(watch: RunWatch): string[] {
  const seen: string[] = [];
  watch.on('event', ({ cursor }) => seen.push(cursor));
  return seen;
}

async function expectWhole(run: HandRun, watch: RunWatch, seen: readonly string[]): Promise<void> {
  expect(withoutCursor(await watch.done)).toEqual(await run.state());
  expect(seen).toEqual((await run.seqs()).map((seq) => run.cursor(seq)));
}
const withoutCursor = ({ cursor: _, ...state }: RunState & { cursor?: string }) => state;

const open = (client: Client, transport: TransportName, timeout = 6_000) =>
  vi.waitFor(() => expect(client.connection).toMatchObject({ status: 'open', transport }), { timeout, interval: 10 });

const states = (client: Client): string[] => {
  const seen: string[] = [];
  client.onConnection(({ status, transport }) => seen.push(`${transport} ${status}`));
  return seen;
};

describe('where WebSockets do not get through', () => {
  it.each(['refuse', 'reset', 'swallow'] as const)('(%s) events come as a stream, every one of them', async (how) => {
    proxy.treatments.upgrade = how;
    const run = await HandRun.accept(store.log, { tools: 2 });
    const client = connect();
    const watch = client.watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    await open(client, 'sse');
    expect(client.connection.reason).toBe('websocket_blocked');
    await run.finish(20);
    await expectWhole(run, watch, seen);
  });

  it('nor streams, a run is asked for again and again', async () => {
    proxy.treatments.upgrade = 'refuse';
    proxy.treatments.stream = 'hold';
    const run = await HandRun.accept(store.log, { tools: 2 });
    const client = connect();
    const watch = client.watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    await open(client, 'polling', 10_000);
    expect(client.connection.reason).toBe('sse_blocked');
    await run.start();
    await run.startTool(0);
    for (let n = 0; n < 5; n++) {
      await run.progress(0, n * 20);
      await sleep(30);
    }
    await run.succeedTool(0);
    await run.startTool(1);
    await run.succeedTool(1);
    await run.succeed();
    await expectWhole(run, watch, seen);
  });

  it('a socket that breaks again and again is given up, and the run goes on at its cursor', async () => {
    const run = await HandRun.accept(store.log, { tools: 1 });
    proxy.cutAt = (kind) => (kind === 'upgrade' ? 4_000 : undefined);
    const client = connect();
    const watch = client.watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    await open(client, 'websocket');
    await run.start();
    await run.startTool(0);
    const writing = (async () => {
      for (let n = 0; n < 60; n++) {
        await run.progress(0, n);
        await sleep(30);
      }
      await run.succeedTool(0);
      await run.succeed();
    })();
    await open(client, 'sse', 10_000);
    await writing;
    await expectWhole(run, watch, seen);
  });

  it('a snapshot comes first, whatever carries it', async () => {
    const run = await HandRun.accept(store.log);
    await run.start();
    for (const transport of ['sse', 'polling'] as const) {
      const watch = connect({ transports: [transport] }).watch(run.run);
      const first = await watch[Symbol.asyncIterator]().next();
      expect(first.value).toMatchObject({ type: 'snapshot', reason: 'cold', state: { status: 'running' } });
    }
  });
});

describe('a better transport that works again', () => {
  it('is taken: from polling to streams to a socket, without a gap', async () => {
    proxy.treatments.upgrade = 'refuse';
    proxy.treatments.stream = 'hold';
    const run = await HandRun.accept(store.log, { tools: 1 });
    const client = connect();
    const watch = client.watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    await open(client, 'polling', 10_000);
    await run.start();
    await run.startTool(0);
    let writing = true;
    const write = async () => {
      for (let n = 0; writing; n++) {
        await run.progress(0, n % 100);
        await sleep(10);
      }
    };
    const written = write();
    proxy.treatments.stream = 'pass';
    await open(client, 'sse');
    proxy.treatments.upgrade = 'pass';
    await open(client, 'websocket');
    expect(client.connection.reason).toBeUndefined();
    writing = false;
    await written;
    await run.succeedTool(0);
    await run.succeed();
    await expectWhole(run, watch, seen);
    expect(edge.edge.services.clients.count('stream')).toBe(0);
  });

  it('is not taken before it holds', async () => {
    proxy.treatments.upgrade = 'refuse';
    const run = await HandRun.accept(store.log);
    const client = connect({}, { holdMs: 400 });
    client.watch(run.run);
    await open(client, 'sse');
    const before = proxy.count('upgrade');
    const seen = states(client);
    proxy.treatments.upgrade = 'pass';
    const cutting = setInterval(() => proxy.cut('upgrade'), 100);
    onTestFinished(() => clearInterval(cutting));
    await vi.waitFor(() => expect(proxy.count('upgrade')).toBeGreaterThan(before + 1), { timeout: 5_000 });
    expect(seen).not.toContain('websocket open');
  });

  it('a service that is away for everybody blocks nothing: the socket is what comes back', async () => {
    const run = await HandRun.accept(store.log, { tools: 1 });
    const client = connect();
    const watch = client.watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    await open(client, 'websocket');
    const passed = states(client);
    for (const kind of ['upgrade', 'stream', 'poll', 'request'] as const) proxy.treatments[kind] = 'reset';
    proxy.cut();
    await sleep(2_500);
    for (const kind of ['upgrade', 'stream', 'poll', 'request'] as const) proxy.treatments[kind] = 'pass';
    await run.finish(3);
    await expectWhole(run, watch, seen);
    expect(passed.filter((state) => !state.startsWith('websocket'))).toEqual([]);
  });
});

describe('answers that are cut off at any byte', () => {
  it.each([
    ['sse', 'stream'],
    ['polling', 'poll'],
  ] as const)('over %s lose nothing and repeat nothing', async (transport, kind) => {
    const random = seeded(20260101);
    let cuts = 5;
    proxy.cutAt = (of) => (of === kind && cuts-- > 0 ? 1 + Math.floor(random() * 6_000) : undefined);
    const run = await HandRun.accept(store.log, { tools: 2, arguments: () => ({ text: 'ä€𝄞'.repeat(50) }) });
    await run.finish(30);
    const watch = connect({ transports: [transport] }).watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    const gaps: unknown[] = [];
    watch.on('gap', (gap) => gaps.push(gap));
    await expectWhole(run, watch, seen);
    expect(gaps).toEqual([]);
    expect(cuts).toBeLessThan(3);
  });
});

describe('commands on a fallback', () => {
  it('are requests, in order, and answered with their cursors', async () => {
    const run = await HandRun.accept(store.log);
    const client = connect({ transports: ['sse', 'polling'] });
    const answers = [client.command(run.run, 'pause'), client.command(run.run, 'resume')];
    expect(await Promise.all(answers)).toEqual([{ cursor: 'e.0:7' }, { cursor: 'e.0:7' }]);
    expect(commands.map(({ name }) => name)).toEqual(['pause', 'resume']);
    expect(new Set(commands.map(({ command_id }) => command_id)).size).toBe(2);
  });

  it('that were sent over a socket which then broke are repeated as the same command', async () => {
    const run = await HandRun.accept(store.log);
    const client = connect();
    client.watch(run.run);
    await open(client, 'websocket');
    answerAfterMs = 400;
    const answer = client.command(run.run, 'pause');
    await vi.waitFor(() => expect(commands).toHaveLength(1));
    proxy.treatments.upgrade = 'refuse';
    proxy.cut('upgrade');
    expect(await answer).toEqual({ cursor: 'e.0:7' });
    expect(client.connection.transport).toBe('sse');
    expect(commands).toHaveLength(2);
    expect(commands[1]).toEqual(commands[0]);
  });

  it('are tried again while the service cannot be reached, and refused for good reasons only', async () => {
    const run = await HandRun.accept(store.log);
    const client = connect({ transports: ['polling'] });
    proxy.treatments.request = 'reset';
    const answer = client.command(run.run, 'pause');
    await sleep(300);
    proxy.treatments.request = 'pass';
    expect(await answer).toEqual({ cursor: 'e.0:7' });
    const missing = client.command('0-01ARZ3NDEKTSV4RRFFQ69G5FAV', 'pause');
    await expect(missing).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('tokens', () => {
  it('that expire under way are replaced on every transport', async () => {
    const run = await HandRun.accept(store.log, { tools: 1 });
    const followers = (['websocket', 'sse', 'polling'] as const).map((transport) => {
      const fetch = vi.fn(() => {
        const first = fetch.mock.calls.length === 1;
        return token({ exp: Math.floor(Date.now() / 1000) + (first ? 1 : 600) });
      });
      const watch = connect({ transports: [transport], token: fetch }).watch(run.run, { cursor: 'start' });
      return { watch, seen: cursors(watch), fetch };
    });
    await run.start();
    await run.startTool(0);
    for (let n = 0; n < 20; n++) {
      await run.progress(0, n);
      await sleep(120);
    }
    await run.succeedTool(0);
    await run.succeed();
    for (const { watch, seen, fetch } of followers) {
      await expectWhole(run, watch, seen);
      expect(fetch).toHaveBeenCalledTimes(2);
    }
  });

  it.each(['websocket', 'sse', 'polling'] as const)(
    'that are fixed and have expired end it on %s',
    async (transport) => {
      const run = await HandRun.accept(store.log);
      const client = connect({ transports: [transport], token: token({ exp: Math.floor(Date.now() / 1000) - 60 }) });
      await expect(client.watch(run.run).done).rejects.toMatchObject({ code: 'token_expired' });
      expect(client.connection).toEqual({ status: 'closed', transport, reason: 'token_expired' });
    },
  );
});

describe('a token that is revoked', () => {
  it.each(['websocket', 'sse', 'polling'] as const)('ends it on %s, and no other is asked for', async (transport) => {
    const run = await HandRun.accept(store.log);
    const sub = uniqueName('user');
    const fetch = vi.fn(() => token({ sub, iat: Math.floor(Date.now() / 1000) - 5 }));
    const client = connect({ transports: [transport], token: fetch });
    const watch = client.watch(run.run);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    const revoked = await edge.fetch('/v1/revocations', {
      method: 'POST',
      body: JSON.stringify({ sub }),
      token: token({ scope: 'admin' }),
    });
    expect(revoked.status).toBeLessThan(300);
    await expect(watch.done).rejects.toMatchObject({ code: 'token_revoked' });
    expect(client.connection).toMatchObject({ status: 'closed', reason: 'token_revoked' });
    expect(fetch).toHaveBeenCalledTimes(1);
  });
});

describe('subscriptions on a fallback', () => {
  it('stream as long as a browser has connections to spare; the others are asked for, until there is room', async () => {
    const runs = await Promise.all(Array.from({ length: 6 }, () => HandRun.accept(store.log)));
    const client = connect({ transports: ['sse', 'polling'] });
    const watches = runs.map(({ run }) => client.watch(run));
    await vi.waitFor(() => expect(watches.every(({ state }) => state !== undefined)).toBe(true));
    const streams = () => edge.edge.services.clients.count('stream');
    expect(streams()).toBe(STREAMS_AT_ONCE);
    await runs[0]!.finish(1);
    await watches[0]!.done;
    await vi.waitFor(() => expect(streams()).toBe(STREAMS_AT_ONCE));
    await Promise.all(runs.slice(1).map((run) => run.finish(1)));
    await Promise.all(watches.map(({ done }) => done));
    await vi.waitFor(() => expect(streams()).toBe(0));
  });

  it.each(['sse', 'polling'] as const)('follow all runs of an app over %s', async (transport) => {
    const app = uniqueName('app');
    const first = await HandRun.accept(store.log, { app });
    const client = connect({ transports: [transport] });
    const watch = client.watchApp(app);
    await vi.waitFor(() => expect(watch.state?.runs).toHaveLength(1));
    const ends: string[] = [];
    watch.on('end', ({ run }) => ends.push(run));
    const second = await HandRun.accept(store.log, { app });
    await first.finish(2);
    await second.finish(2);
    await vi.waitFor(() => expect(ends).toEqual([first.run, second.run]));
    expect(watch.state?.runs.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
  });

  it('of what does not exist fail with its code', async () => {
    for (const transport of ['sse', 'polling'] as const) {
      const watch = connect({ transports: [transport] }).watch('0-01ARZ3NDEKTSV4RRFFQ69G5FAV');
      await expect(watch.done).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it('of a run that had ended at their cursor end at once', async () => {
    const run = await HandRun.accept(store.log);
    const cursor = run.cursor(await run.finish(1));
    for (const transport of ['websocket', 'sse', 'polling'] as const) {
      const watch = connect({ transports: [transport] }).watch(run.run, { cursor, state: await run.state() });
      expect(await watch.done).toEqual(await run.state());
    }
  });

  it('at a cursor of another log begin anew', async () => {
    const run = await HandRun.accept(store.log);
    await run.start();
    const { seq, ...state } = await run.state();
    for (const transport of ['websocket', 'sse', 'polling'] as const) {
      const from = { cursor: `other.0:${seq + 1000}`, state: { ...state, seq: seq + 1000 } };
      const watch = connect({ transports: [transport] }).watch(run.run, from);
      const reasons: string[] = [];
      watch.on('snapshot', ({ reason }) => reasons.push(reason));
      await vi.waitFor(() => expect(reasons).toEqual(['cold', 'epoch']));
      expect(watch.state?.seq).toBe(seq);
    }
  });
});

describe('two clients with one token', () => {
  it('both get everything, each on its own connection', async () => {
    const run = await HandRun.accept(store.log, { tools: 2 });
    const same = token();
    const watches = [connect({ token: same }), connect({ token: same })].map((c) =>
      c.watch(run.run, { cursor: 'start' }),
    );
    const seen = watches.map(cursors);
    await run.finish(10);
    for (const [at, watch] of watches.entries()) await expectWhole(run, watch, seen[at]!);
  });
});

describe('a page that wakes', () => {
  const page = () => {
    const around = new EventTarget();
    vi.stubGlobal('addEventListener', around.addEventListener.bind(around));
    vi.stubGlobal('removeEventListener', around.removeEventListener.bind(around));
    const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    vi.stubGlobal('document', document);
    onTestFinished(() => void vi.unstubAllGlobals());
    return { around, document };
  };

  it.each(['websocket', 'sse'] as const)(
    'finds a dead connection (%s) at once and goes on at its cursor',
    async (transport) => {
      const { document } = page();
      const run = await HandRun.accept(store.log, { tools: 1 });
      const timing = { streamSilenceMs: 2_000, streamOpenMs: 5_000 };
      const client = connect({ transports: [transport] }, timing);
      const watch = client.watch(run.run, { cursor: 'start' });
      const seen = cursors(watch);
      await open(client, transport);
      proxy.mute();
      await sleep(1_250);
      const passed: ConnectionState[] = [];
      client.onConnection((state) => passed.push(state));
      document.dispatchEvent(new Event('visibilitychange'));
      await vi.waitFor(() => expect(passed.some(({ status }) => status !== 'open')).toBe(true), { timeout: 500 });
      await run.finish(3);
      await expectWhole(run, watch, seen);
    },
  );

  it('streams while somebody sees it, and asks again and again while nobody does', async () => {
    const { document } = page();
    const run = await HandRun.accept(store.log, { tools: 1 });
    const client = connect({ transports: ['sse', 'polling'] });
    const watch = client.watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    await open(client, 'sse');
    const streams = () => edge.edge.services.clients.count('stream');
    document.visibilityState = 'hidden';
    document.dispatchEvent(new Event('visibilitychange'));
    await vi.waitFor(() => expect(streams()).toBe(0));
    await run.start();
    await vi.waitFor(() => expect(seen).toHaveLength(2));
    document.visibilityState = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
    await vi.waitFor(() => expect(streams()).toBe(1));
    await run.startTool(0);
    await run.succeedTool(0);
    await run.succeed();
    await expectWhole(run, watch, seen);
  });

  it('leaves a living connection alone', async () => {
    const { around, document } = page();
    const run = await HandRun.accept(store.log);
    const client = connect();
    client.watch(run.run);
    await open(client, 'websocket');
    const passed = states(client);
    for (let n = 0; n < 3; n++) {
      around.dispatchEvent(new Event('online'));
      document.dispatchEvent(new Event('visibilitychange'));
      await sleep(250);
    }
    expect(passed).toEqual([]);
  });

  it.each(['websocket', 'sse', 'polling'] as const)(
    'parts politely when it is frozen, and comes back (%s)',
    async (transport) => {
      const { document } = page();
      const run = await HandRun.accept(store.log, { tools: 1 });
      const client = connect({ transports: [transport] });
      const watch = client.watch(run.run, { cursor: 'start' });
      const seen = cursors(watch);
      await open(client, transport);
      document.dispatchEvent(new Event('freeze'));
      expect(client.connection).toEqual({ status: 'waiting', transport, reason: 'frozen' });
      await vi.waitFor(() => expect(edge.edge.services.clients.size).toBe(0));
      await run.finish(3);
      await sleep(200);
      expect(seen.length).toBeLessThan(2);
      document.dispatchEvent(new Event('resume'));
      await expectWhole(run, watch, seen);
    },
  );
});
