import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Kvm } from '@nats-io/kv';
import { commandSubject, MESSAGES_BUCKET, messageKey, runCommands, submitRun } from '@toolstream/proto-events';
import { type CommandEndpoint, type CommandService, serveCommands } from '@toolstream/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnyRoute } from '../src/handlers/route.ts';
import { edgeRoutes } from '../src/server.ts';
import { webSocketAddresses } from '../src/socket/subprotocols.ts';
import { Dice } from './fuzz/dice.ts';
import { type Door, doorsOf } from './fuzz/doors.ts';
import { brokenBytes, requestBytes } from './fuzz/http-inputs.ts';
import { Judge } from './fuzz/judge.ts';
import { RawHttp } from './fuzz/raw-http.ts';
import { RawWebSocket, wsFrame } from './fuzz/raw-websocket.ts';
import type { Known } from './fuzz/socket-inputs.ts';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, until } from './harness.ts';
import { TestSocket } from './socket-client.ts';

/** `FUZZ_FRAMES=1000000 FUZZ_SEED=7` for more, and for what failed before. */
const INPUTS = Number(process.env.FUZZ_FRAMES ?? 100_000);
const SEED = Number(process.env.FUZZ_SEED ?? 20_260_101);
const AT_ONCE = 8;
const TIMEOUT_MS = Math.max(120_000, INPUTS * 2);

let store: TestLog;
let edge: TestEdge;
let orchestrator: CommandService;
let port: number;
let known: Known;
let routes: readonly AnyRoute[];
let doors: readonly Door[];
let inputs = 0;
const judge = new Judge();
const faults: unknown[] = [];
const onFault = (error: unknown) => void faults.push(error);

/** Answers like the orchestrator, and sees that whatever passes the edge is what the contract allows. */
function accepting(): Record<string, CommandEndpoint> {
  const run = { run_id: known.runs[0]!, cursor: known.cursors[0]!, status: 'accepted', tools: [] };
  const checked = (schema: { safeParse(body: unknown): { success: boolean } }, reply: unknown) => (body: unknown) => {
    if (!schema.safeParse(body).success) judge.find('the edge sent on what the contract refuses', body);
    return reply;
  };
  return Object.fromEntries([
    ['submit', { subject: commandSubject('submit'), handler: checked(submitRun, { ok: true, replayed: false, run }) }],
    ...Object.entries(runCommands).map(([name, schema]) => [
      name,
      { subject: commandSubject(name), handler: checked(schema, { ok: true, cursor: known.cursors[0] }) },
    ]),
  ]);
}

beforeAll(async () => {
  process.on('unhandledRejection', onFault);
  process.on('uncaughtExceptionMonitor', onFault);
  store = await startTestLog(2);
  edge = await startTestEdge(store.nats, {
    TOOLSTREAM_PARTITIONS: '2',
    TOOLSTREAM_FRAMES_PER_SECOND: '10000000',
    TOOLSTREAM_CONNECTS_PER_SECOND: '0',
    TOOLSTREAM_MAX_CONNECTIONS_PER_USER: '0',
    TOOLSTREAM_FEED_LINGER_MS: '50',
    // Requests behind an answer that lasts are not read: only its next heartbeat shows that the connection has ended.
    TOOLSTREAM_HEARTBEAT_MS: '3000',
  });
  port = Number(new URL(edge.url).port);
  const ended = await HandRun.accept(store.log, { tools: 2, message_id: 'm1' });
  const end = await ended.finish(2);
  const live = await HandRun.accept(store.log, { app: 'app-2', partition: 1 });
  await live.start();
  const middle = await live.startTool(0);
  const foreign = await HandRun.accept(store.log, { tenant: 't2' });
  const links = await new Kvm(store.nc).open(MESSAGES_BUCKET);
  for (const [name, run] of [
    ['m1', ended],
    ['m2', live],
  ] as const) {
    const link = { run: run.run, app: run.app, accepted_at: '2026-01-01T00:00:00.000Z' };
    await links.put(messageKey('t1', name), JSON.stringify(link));
  }
  const both = [0, 1].map((partition) => store.log.cursor(partition, 2)).join(',');
  known = {
    token: token({ sub: 'anybody', apps: ['app-1', 'app-2'] }),
    runs: [ended.run, ended.run, live.run, foreign.run],
    apps: ['app-1', 'app-2', 'app-3'],
    messages: ['m1', 'm2', 'm3', '7'],
    cursors: [
      'start',
      ended.cursor(end),
      ended.cursor(3),
      live.cursor(middle),
      both,
      'gone.0:4',
      ended.cursor(10 ** 9),
    ],
  };
  routes = edgeRoutes(edge.edge.services);
  doors = Object.values(doorsOf(known, judge)).filter(({ path }) => Object.hasOwn(webSocketAddresses, path));
  orchestrator = await serveCommands(store.nc, { name: 'orchestrator', version: '0.0.1', endpoints: accepting() });
});
afterAll(async () => {
  process.off('unhandledRejection', onFault);
  process.off('uncaughtExceptionMonitor', onFault);
  await edge.stop();
  await orchestrator.stop();
  await store.stop();
});

/** Works through a share of the inputs, several connections at a time; every connection has a seed of its own. */
async function spend(share: number, connection: (dice: Dice) => Promise<number>): Promise<void> {
  const dice = new Dice(SEED + Math.round(share * 1_000));
  let left = Math.round(INPUTS * share);
  const worker = async () => {
    while (left > 0 && judge.findings.length === 0) {
      const used = await connection(dice.fork());
      left -= used;
      inputs += used;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  verdict();
}

function verdict(): void {
  const where = `FUZZ_SEED=${SEED} FUZZ_FRAMES=${INPUTS}`;
  expect(judge.findings, where).toEqual([]);
  expect(faults, where).toEqual([]);
}

/** One connection: it says what it has to say, waits for what is due, and ends in one of several ways. */
async function throughSocket(dice: Dice, door: Door): Promise<number> {
  const { parts, last, inputs: said, violated } = door.talk(dice);
  let frames = 0;
  const text = (payload: string) => {
    frames++;
    door.frame(payload);
  };
  const ws = await RawWebSocket.open(port, door, { text });
  if (ws.status !== 101) judge.find('the upgrade was refused', ws.head);
  if (door.welcomes) await ws.socket.until(() => frames > 0);
  const before = Buffer.concat(parts);
  // Some in one go, some when all the others have been read: by then their answers are on their way.
  const together = !door.welcomes && dice.chance(80);
  const bytes = together ? Buffer.concat([before, last]) : before;
  // The network cuts where it likes.
  const longest = dice.pick([64 * 1024, 64 * 1024, 1500]);
  for (let at = 0; at < bytes.length; ) {
    const to = at + 1 + dice.int(longest);
    ws.socket.write(bytes.subarray(at, to));
    at = to;
  }
  const settled = (inTime: boolean) =>
    inTime
      ? ws.settled().catch((error: unknown) => judge.find(String(error), door.path))
      : ws.settled(VIOLATED_MS).catch(() => {});
  if (!together) {
    await settled(true);
    ws.socket.write(last);
  }
  // A frame that announces more than comes leaves the server waiting, as it must.
  await settled(!violated);
  if (!violated && dice.chance(30)) {
    ws.socket.write(wsFrame(Buffer.from([0x03, 0xe8]), { opcode: 8 }));
    await ws.socket.until(() => ws.closeCode !== undefined);
  }
  judge.closing(ws.closeCode);
  if (dice.chance(50)) ws.socket.end();
  ws.socket.destroy();
  return said;
}

/** Requests behind each other on one connection; every one that HTTP can read is answered, in order. */
async function throughHttp(dice: Dice): Promise<number> {
  const http = await RawHttp.open(port);
  const requests = Array.from({ length: 40 }, () => requestBytes(dice, routes, known));
  http.socket.write(Buffer.concat(requests));
  await http.socket
    .until(() => http.lasting || http.responses.length >= requests.length)
    .catch((error: unknown) => judge.find(String(error), shown(requests[http.responses.length])));
  for (const [i, response] of http.responses.entries()) judge.response(response, shown(requests[i]));
  if (!http.lasting && http.responses.length < requests.length && !closedOnPurpose(http))
    judge.find('closed without an answer', shown(requests[http.responses.length]));
  http.socket.destroy();
  return http.responses.length;
}

const closedOnPurpose = (http: RawHttp): boolean => http.responses.at(-1)?.headers.connection === 'close';
const shown = (request: Buffer | undefined): string => request?.toString('latin1') ?? '';

/** What may be no HTTP: answered as far as it can be read, and the connection ends. */
async function throughBrokenHttp(dice: Dice): Promise<number> {
  const http = await RawHttp.open(port);
  const bytes = brokenBytes(dice, routes, known);
  http.socket.write(bytes);
  http.socket.end();
  await http.socket.until(() => http.lasting, VIOLATED_MS).catch(() => {});
  for (const response of http.responses) judge.response(response, shown(bytes));
  http.socket.destroy();
  return 1;
}

async function through(path: string, share: number): Promise<void> {
  const there = doors.filter((door) => door.path === path);
  await spend(share, (dice) => throughSocket(dice, dice.pick(there)));
}

/** How long something is waited for that need not come. */
const VIOLATED_MS = 150;

describe('Whatever comes, the edge', () => {
  let watcher: TestSocket;
  let watched: HandRun;
  let writing = true;
  let written: Promise<void>;
  let heapBefore: number;

  beforeAll(async () => {
    watched = await HandRun.accept(store.log, { app: 'healthy', message_id: 'healthy' });
    await watched.start();
    await watched.startTool(0);
    watcher = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: watched.run, cursor: 'start' }] });
    written = (async () => {
      for (let step = 0; writing; step++) {
        await watched.progress(0, step % 100);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    })();
  });

  it('is known here by all of its WebSocket addresses', () => {
    expect(new Set(doors.map(({ path }) => path))).toEqual(new Set(Object.keys(webSocketAddresses)));
  });

  it('has warmed up', async () => {
    for (const door of doors) await spend(0.02 / doors.length, (dice) => throughSocket(dice, door));
    await spend(0.02, throughHttp);
    heapBefore = heapMiB();
  });

  it('answers frames on /ws by the contract or ends the connection', () => through('/ws', 0.7), TIMEOUT_MS);

  it(
    'answers frames elsewhere by the contract or ends the connection',
    async () => {
      const others = [...new Set(doors.map(({ path }) => path))].filter((path) => path !== '/ws');
      for (const path of others) await through(path, 0.08 / others.length);
    },
    TIMEOUT_MS,
  );

  it('answers HTTP by the contract', () => spend(0.14, throughHttp), TIMEOUT_MS);

  it('ends what is no HTTP', () => spend(0.04, throughBrokenHttp), TIMEOUT_MS);

  it('has served others all the while, and serves on', async () => {
    writing = false;
    await written;
    await watched.succeedTool(0);
    await watched.succeed();
    await watcher.next('end');
    const events = watcher.of('event');
    expect(events.map(({ cursor }) => cursor)).toEqual((await watched.seqs()).map((seq) => watched.cursor(seq)));
    for (let i = 1; i < events.length; i++) expect(events[i]?.prev).toBe(events[i - 1]?.cursor);
    expect(watcher.of('snapshot')).toEqual([]);
    const response = await edge.fetch(`/v1/runs/${watched.run}`);
    expect([response.status, ((await response.json()) as { status: string }).status]).toEqual([200, 'succeeded']);
    watcher.send({ type: 'command', id: 'a-command', run: watched.run, command: 'pause' });
    expect((await watcher.next('ack')).id).toBe('a-command');
    await watcher.close();
    expect(inputs).toBeGreaterThanOrEqual(INPUTS);
    if (INPUTS >= ENOUGH) expect([...judge.seen.keys()]).toEqual(expect.arrayContaining(REACHED));
    verdict();
  });

  it('has forgotten all of them', async () => {
    const { clients, feeds, messages, admission } = edge.edge.services;
    const left = () => ({
      clients: clients.size,
      subscriptions: clients.sum('subscriptions'),
      feeds: feeds.size,
      messages: messages.size,
      places: admission.size,
    });
    const nothing = { clients: 0, subscriptions: 0, feeds: 0, messages: 0, places: 0 };
    await until(() => JSON.stringify(left()) === JSON.stringify(nothing), 20_000).catch(() => {});
    expect(left()).toEqual(nothing);
    edge.edge.http.server.closeIdleConnections();
    await until(async () => (await openConnections()) === 0);
    expect(heapMiB() - heapBefore).toBeLessThan(HEAP_GROWTH_MIB);
  });
});

/** What that many inputs reach in any case: inputs that are all refused at the door prove nothing of what is behind it. */
const ENOUGH = 20_000;
const REACHED = [
  ...['welcome', 'snapshot', 'event', 'caught_up', 'end', 'waiting', 'attached', 'ack', 'error', 'bye'],
  ...['confirm_subscription', 'reject_subscription', 'tool_queue_initialized', 'tool_progress_update', 'disconnect'],
  ...['bad_json', 'bad_frame', 'unknown_frame', 'bad_cursor', 'not_found', 'forbidden', 'unauthenticated', 'invalid'],
  ...['status 200', 'status 201', 'status 202', 'status 400', 'status 101', 'close 1002', 'close 1007', 'close 1009'],
];

/** Caches with a bound of their own may fill; what grows with the inputs does not fit. */
const HEAP_GROWTH_MIB = 48;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
function heapMiB(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

const openConnections = (): Promise<number> =>
  new Promise((resolve, reject) =>
    edge.edge.http.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
