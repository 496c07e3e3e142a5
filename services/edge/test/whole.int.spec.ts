import { fileURLToPath } from 'node:url';
import { evolve } from '@toolstream/domain';
import { Executor, executorConfig } from '@toolstream/executor';
import { type Orchestrator, orchestratorConfig, startOrchestrator } from '@toolstream/orchestrator';
import { type ProjectionApp, projectionConfig, startProjection } from '@toolstream/projection';
import type { AcceptedRun, RunListItem, RunSnapshot, RunState, ToolstreamEvent } from '@toolstream/proto-events';
import { connectNats, createLogger, startTelemetry, type Telemetry } from '@toolstream/service-kit';
import { type PostgresServer, startEphemeralPostgres } from '@toolstream/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCanary } from '../src/canary/canary.ts';
import { readinessOf } from '../src/readiness.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, until } from './harness.ts';
import { TestSocket } from './socket-client.ts';

/** The edge with the services that it really talks to. */
let store: TestLog;
let postgres: PostgresServer;
let edge: TestEdge;
let orchestrator: Orchestrator;
let projection: ProjectionApp;
let executor: Executor;
let telemetry: Telemetry;
const closing: (() => Promise<void>)[] = [];
const log = createLogger({ name: 'test', level: process.env.LOG_LEVEL ?? 'silent' });
const PARTITIONS = 2;
const tools = fileURLToPath(new URL('../../../test/support/tools.ts', import.meta.url));

beforeAll(async () => {
  [store, postgres] = await Promise.all([startTestLog(PARTITIONS), startEphemeralPostgres()]);
  telemetry = await startTelemetry({ name: 'test', instance: 'test-1', log });
  const { meter } = telemetry;
  const env = { NATS_URL: store.nats.url, TOOLSTREAM_PARTITIONS: String(PARTITIONS) };
  const connection = async (name: string) => {
    const nc = await connectNats(store.nats.url, name, log);
    closing.push(() => nc.close());
    return nc;
  };
  executor = await Executor.start({
    nc: await connection('executor'),
    config: executorConfig.parse({ ...env, TOOLSTREAM_TOOLS: tools, TOOLSTREAM_WARM_THREADS: '0' }),
    instance: 'executor-1',
    logger: log,
  });
  orchestrator = await startOrchestrator({
    nc: await connection('orchestrator'),
    config: orchestratorConfig.parse(env),
    instance: 'orchestrator-1',
    log,
    meter,
  });
  projection = await startProjection({
    nc: await connection('projection'),
    config: projectionConfig.parse({ ...env, DATABASE_URL: postgres.url }),
    instance: 'projection-1',
    log,
    meter,
    signal: new AbortController().signal,
  });
  edge = await startTestEdge(store.nats, { TOOLSTREAM_PARTITIONS: String(PARTITIONS) });
});
afterAll(async () => {
  await edge.stop();
  await executor.stop();
  await orchestrator.stop();
  await projection.stop();
  for (const close of closing) await close();
  await telemetry.shutdown();
  await postgres.stop();
  await store.stop();
});

const post = (path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
  edge.fetch(path, { method: 'POST', body: JSON.stringify(body), headers });
const get = async <T>(path: string) => (await (await edge.fetch(path)).json()) as T;
const steps = (id: string, count: number, ms: number) => ({ id, name: 'steps', arguments: { steps: count, ms } });
const submit = async (body: object) => (await (await post('/v1/runs', body)).json()) as AcceptedRun;
const seqOf = (cursor: string): number => Number(cursor.slice(cursor.lastIndexOf(':') + 1));
const ended = async (run: string) => {
  const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run }] });
  const end = await socket.next('end');
  await socket.close();
  return end;
};

describe('a run', () => {
  it('can be read the moment it is accepted, and listed as soon as min_cursor is reached', async () => {
    for (let round = 0; round < 10; round++) {
      const run = await submit({ app: 'own-writes', tool_calls: [steps('a', 1, 1)] });
      const snapshot = await edge.fetch(`/v1/runs/${run.run_id}`);
      expect(snapshot.status).toBe(200);
      const path = `/v1/runs?app=own-writes&limit=200&min_cursor=${run.cursor}`;
      const { runs } = await get<{ runs: RunListItem[] }>(path);
      expect(runs[0]?.run_id).toBe(run.run_id);
    }
  });

  it('streams from acceptance to end, and its snapshots and tails fold to what the rows say', async () => {
    const run = await submit({
      app: 'whole',
      mode: 'parallel',
      tool_calls: [steps('a', 10, 5), steps('b', 10, 5), { id: 'c', name: 'nobody', arguments: {} }],
    });
    const early = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run_id, cursor: run.cursor }] });
    await until(() => early.of('event').length > 5);
    const late = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run_id }] });
    await Promise.all([early.next('end'), late.next('end')]);
    const end = late.of('end')[0]!;
    expect(end.status).toBe('failed');
    const snapshot = late.of('snapshot')[0]!;
    let state = snapshot.state as RunState | undefined;
    for (const frame of late.of('event')) {
      state = evolve(state, { event: frame.event as unknown as ToolstreamEvent, seq: seqOf(frame.cursor) });
    }
    const { cursor, ...read } = await get<RunSnapshot>(`/v1/runs/${run.run_id}?min_cursor=${end.cursor}`);
    const { cursor: _cursor, ...folded } = state as RunSnapshot;
    expect(folded).toEqual(read);
    expect(cursor).toBe(end.cursor);
    expect(early.of('event')[0]?.prev).toBe(run.cursor);
    await early.close();
    await late.close();
  });

  it('takes commands over HTTP and over the socket, and answers each with its cursor', async () => {
    const run = await submit({ app: 'whole', tool_calls: [steps('a', 200, 20), steps('b', 1, 1)] });
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run_id, cursor: run.cursor }] });
    const headers = { 'idempotency-key': 'once' };
    const [paused, again] = await Promise.all(
      [1, 2].map(async () => {
        const response = await post(`/v1/runs/${run.run_id}/pause`, { reason: 'lunch' }, headers);
        expect(response.status).toBe(202);
        return ((await response.json()) as { cursor: string }).cursor;
      }),
    );
    expect(again).toBe(paused);
    socket.send({ type: 'command', id: 'r', run: run.run_id, command: 'resume' });
    const resumed = await socket.next('ack');
    socket.send({ type: 'command', id: 'c', run: run.run_id, command: 'cancel', args: { reason: 'enough' } });
    const cancelled = await socket.next('ack', 2);
    const end = await socket.next('end');
    expect(end.status).toBe('cancelled');
    const types = new Map(
      socket.of('event').map((frame) => [frame.cursor, (frame.event as { type: string }).type] as const),
    );
    expect(types.get(paused!)).toBe('run.paused.v1');
    expect(types.get(resumed.cursor)).toBe('run.resumed.v1');
    expect(types.get(cancelled.cursor)).toBe('run.cancel_requested.v1');
    const refused = await post(`/v1/runs/${run.run_id}/pause`);
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ code: 'run_ended' });
    await socket.close();
  });

  it('is seen whole by a page that waited for its message, and by one that came after its end', async () => {
    const message_id = 4711;
    const waiting = await TestSocket.hello(edge.wsUrl, { subscribe: [{ message_id }] });
    await waiting.next('waiting');
    const run = await submit({ app: 'whole', message_id, tool_calls: [steps('a', 3, 1)] });
    const end = await waiting.next('end');
    expect(end.run).toBe(run.run_id);
    const events = waiting.of('event');
    expect(events[0]?.cursor).toBe(run.cursor);
    for (let i = 1; i < events.length; i++) expect(events[i]?.prev).toBe(events[i - 1]?.cursor);
    const late = await TestSocket.hello(edge.wsUrl, { subscribe: [{ message_id }] });
    expect((await late.next('snapshot')).cursor).toBe(end.cursor);
    await Promise.all([waiting.close(), late.close()]);
  });

  it('carries out commands that one connection sends in a row in that order', async () => {
    const run = await submit({ app: 'whole', tool_calls: [steps('a', 500, 20)] });
    const socket = await TestSocket.hello(edge.wsUrl);
    const names = ['pause', 'resume', 'pause', 'resume', 'pause', 'resume', 'cancel'];
    for (const [at, command] of names.entries())
      socket.send({ type: 'command', id: `c${at}`, run: run.run_id, command });
    await socket.next('ack', names.length);
    const cursors = socket.of('ack').map((ack) => seqOf(ack.cursor));
    expect(socket.of('ack').map((ack) => ack.id)).toEqual(names.map((_, at) => `c${at}`));
    expect(cursors).toEqual([...cursors].sort((a, b) => a - b));
    expect(new Set(cursors).size).toBe(names.length);
    await socket.close();
    expect((await ended(run.run_id)).status).toBe('cancelled');
  });

  it('runs again from a call on, with arguments that were too large for an event', async () => {
    const content = `${'x'.repeat(60_000)}\n`;
    const write = { id: 'w', name: 'os-write', arguments: { file_path: 'large.txt', content } };
    const run = await submit({ app: 'again', tool_calls: [steps('a', 1, 1), write] });
    expect((await ended(run.run_id)).status).toBe('succeeded');
    const second = await post(`/v1/runs/${run.run_id}/rerun`, { from: 1 });
    expect(second.status).toBe(201);
    const rerun = (await second.json()) as AcceptedRun;
    expect(rerun.tools.map((tool) => tool.call_id)).toEqual(['w']);
    expect((await ended(rerun.run_id)).status).toBe('succeeded');
    const file = await edge.fetch('/v1/apps/again/files/large.txt');
    expect(await file.text()).toBe(content);
    const { messages } = await get<{ messages: { tool_call_id: string }[] }>(`/v1/runs/${rerun.run_id}/results`);
    expect(messages.map((message) => message.tool_call_id)).toEqual(['w']);
  });

  it('refuses what concerns the run as a whole by its code', async () => {
    const twice = await post('/v1/runs', { app: 'whole', tool_calls: [steps('a', 1, 1), steps('a', 1, 1)] });
    expect(twice.status).toBe(422);
    expect(await twice.json()).toMatchObject({ code: 'duplicate_call_id' });
    const circle = [
      { ...steps('a', 1, 1), depends_on: ['b'] },
      { ...steps('b', 1, 1), depends_on: ['a'] },
    ];
    expect(await (await post('/v1/runs', { app: 'whole', tool_calls: circle })).json()).toMatchObject({
      code: 'dependency_cycle',
    });
  });
});

describe('an app over two partitions', () => {
  it('is one gapless stream: the snapshot of live runs, then every event of every run', async () => {
    const app = 'two-parts';
    const first = await Promise.all(
      Array.from({ length: 6 }, (_, at) => submit({ app, tool_calls: [steps(`a${at}`, 30, 10)] })),
    );
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ app }] });
    const snapshot = await socket.next('snapshot');
    const listed = (snapshot.state as { runs: RunState[] }).runs;
    expect(new Set(listed.map((run) => run.run_id))).toEqual(new Set(first.map((run) => run.run_id)));
    expect(snapshot.cursor.split(',')).toHaveLength(PARTITIONS);
    const more = await Promise.all(
      Array.from({ length: 6 }, (_, at) => submit({ app, tool_calls: [steps(`b${at}`, 5, 2)] })),
    );
    await until(() => socket.of('end').length === 12);
    const states = new Map(listed.map((run) => [run.run_id, run as RunState | undefined]));
    let prev = snapshot.cursor;
    for (const frame of socket.of('event')) {
      expect(frame.prev).toBe(prev);
      prev = frame.cursor;
      const partition = Number(frame.run.split('-')[0]);
      const seq = seqOf(frame.cursor.split(',')[partition]!);
      states.set(frame.run, evolve(states.get(frame.run), { event: frame.event as never, seq }));
    }
    for (const run of [...first, ...more]) {
      const { cursor: _cursor, ...read } = await get<RunSnapshot>(`/v1/runs/${run.run_id}`);
      const { cursor: _own, ...folded } = states.get(run.run_id) as RunSnapshot;
      expect(folded).toEqual(read);
    }
    expect(new Set([...first, ...more].map((run) => run.run_id.split('-')[0])).size).toBe(PARTITIONS);
    await socket.close();
  });

  it('resumes from any of its cursors without loss or repetition', async () => {
    const app = 'two-parts-resumed';
    const runs = await Promise.all(
      Array.from({ length: 6 }, (_, at) => submit({ app, tool_calls: [steps(`a${at}`, 20, 10)] })),
    );
    const seen = new Set<string>();
    let cursor = 'start';
    let ends = 0;
    for (let round = 0; ends < runs.length; round++) {
      expect(round).toBeLessThan(80);
      const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ app, cursor }] });
      await until(() => socket.of('event').length >= 7 + (round % 5) || socket.of('caught_up').length > 0);
      if (socket.of('event').length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      socket.cut();
      for (const frame of socket.of('event')) {
        const { id } = frame.event as { id: string };
        expect(seen.has(id)).toBe(false);
        seen.add(id);
        if (cursor !== 'start') expect(frame.prev).toBe(cursor);
        cursor = frame.cursor;
        if ((frame.event as { type: string }).type === 'run.succeeded.v1') ends++;
      }
      expect(socket.of('snapshot')).toEqual([]);
    }
    const stored = await Promise.all(runs.map((run) => store.log.readRun({ tenant: 't1', run: run.run_id })));
    expect(seen).toEqual(new Set(stored.flat().map((event) => event.id)));
  });
});

describe('queries', () => {
  it('page the list of runs and filter it', async () => {
    const app = 'paged';
    const runs: AcceptedRun[] = [];
    for (let at = 0; at < 5; at++) {
      runs.push(await submit({ app, message_id: at, tool_calls: [steps('a', 1, 1)] }));
    }
    const reached = `min_cursor=${runs.map((run) => run.cursor).at(-1)}`;
    await Promise.all(runs.map((run) => ended(run.run_id)));
    await until(async () => {
      const { runs: live } = await get<{ runs: RunListItem[] }>(`/v1/runs?app=${app}&status=accepted,running`);
      return live.length === 0;
    });
    const one = await get<{ runs: RunListItem[]; next: string }>(`/v1/runs?app=${app}&limit=3&${reached}`);
    const two = await get<{ runs: RunListItem[]; next?: string }>(`/v1/runs?app=${app}&limit=3&before=${one.next}`);
    expect([...one.runs, ...two.runs].map((run) => run.run_id)).toEqual(runs.map((run) => run.run_id).reverse());
    expect(two.next).toBeUndefined();
    const third = await get<{ runs: RunListItem[] }>(`/v1/runs?app=${app}&message_id=2&status=succeeded`);
    expect(third.runs.map((run) => run.run_id)).toEqual([runs[2]!.run_id]);
    const since = encodeURIComponent('2026-01-01T00:00:00+02:00');
    const withSteps = await get<{ runs: RunListItem[] }>(`/v1/runs?app=${app}&tool=steps&since=${since}`);
    expect(withSteps.runs).toHaveLength(5);
    expect(withSteps.runs[0]).toMatchObject({ tool_names: ['steps'], awaiting_approval: 0 });
    expect((await get<{ runs: RunListItem[] }>(`/v1/runs?app=${app}&until=2020-01-01T00:00:00Z`)).runs).toEqual([]);
    for (const query of ['status=what', 'limit=0', 'before=%21', 'message_id=a.b', 'app=*', 'since=today', 'tool=']) {
      const response = await edge.fetch(`/v1/runs?${query}`);
      expect([400, 422]).toContain(response.status);
    }
    const foreign = await edge.fetch(`/v1/runs?app=${app}`, { token: token({ tenant: 't2' }) });
    expect(await foreign.json()).toEqual({ runs: [] });
  });

  it('tell what the tools did, and how late events reached clients', async () => {
    const run = await submit({ app: 'stats', tool_calls: [steps('a', 2, 1)] });
    await ended(run.run_id);
    await until(async () => {
      const { tools: known } = await get<{ tools: { name: string; runs: number }[] }>('/v1/stats?window=1h');
      return known.some(({ name, runs }) => name === 'steps' && runs > 0);
    });
    const stats = await get<{ window_ms: number; delivery: { samples: number; p50_ms: number } }>(
      '/v1/stats?window=15m',
    );
    expect(stats.window_ms).toBe(900_000);
    expect(stats.delivery.samples).toBeGreaterThan(0);
    expect(stats.delivery.p50_ms).toBeLessThan(5_000);
    for (const window of ['1', '0h', '99d', '1y']) {
      expect((await edge.fetch(`/v1/stats?window=${window}`)).status).toBe(422);
    }
  });

  it('find the service ready while all that it needs is there', async () => {
    const { projection: queried, tools: catalog } = edge.edge.services;
    const ready = readinessOf({ nc: edge.nc, projection: queried, tools: catalog });
    expect(await ready()).toMatchObject({ ready: true, checks: { orchestrator: true, projection: true } });
  });
});

describe('the canary', () => {
  it('finds every event of its runs delivered once and in order, also over connections that keep breaking', async () => {
    const canary = startCanary(edge.edge.services, telemetry.meter, { everyMs: 10, url: edge.wsUrl });
    const counted = async (series: string) => {
      const line = (await telemetry.metricsText()).split('\n').find((text) => text.startsWith(series));
      return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
    };
    const rounds = (outcome: string) => counted(`toolstream_canary_rounds_total{outcome="${outcome}"}`);
    await until(async () => ((await rounds('clean')) ?? 0) >= 3, 20_000);
    await canary.stop();
    expect(await rounds('dirty')).toBe(0);
    expect(await counted('toolstream_canary_events_total{outcome="lost"}')).toBe(0);
    expect(await counted('toolstream_canary_events_total{outcome="repeated"}')).toBe(0);
    expect(await counted('toolstream_canary_events_total{outcome="delivered"}')).toBeGreaterThan(60);
  });
});
