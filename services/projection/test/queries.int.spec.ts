import { Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import {
  ESTIMATES_BUCKET,
  liveQueryReply,
  MAX_TREND_TOOLS,
  positionsQueryReply,
  querySubject,
  type RunPlan,
  runQueryReply,
  runsQueryReply,
  statsQueryReply,
  toolEstimate,
} from '@toolstream/proto-events';
import { request } from '@toolstream/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  connectTo,
  declare,
  expectedStates,
  publish,
  type Servers,
  startServers,
  startTestProjection,
  Tables,
  type TestProjection,
  until,
} from './harness.ts';
import { plannedTool, planOf, RunHistory, randomOf, T0 } from './histories.ts';

let servers: Servers;
let nc: NatsConnection;
let projection: TestProjection;
let tables: Tables;
const random = randomOf(77);

beforeAll(async () => {
  servers = await startServers();
  nc = await connectTo(servers.nats);
  await declare(nc);
  projection = await startTestProjection(servers, servers.postgres.url, { TOOLSTREAM_ESTIMATES_EVERY_MS: '100' });
  tables = new Tables(servers.postgres.url);
});
afterAll(async () => {
  await projection.stop();
  await tables.end();
  await nc.close();
  await servers.stop();
});

const ask = async <S extends z.ZodType>(name: string, reply: S, body: object): Promise<z.infer<S>> =>
  reply.parse(await request(nc, querySubject(name), body, { timeoutMs: 5_000 }));
const refusal = async (name: string, body: object) =>
  (await request(nc, querySubject(name), body, { timeoutMs: 5_000 })) as { error?: { code: string } };

const newRun = (tools: number, tenant: string, over: Partial<RunPlan> = {}, app = 'app1', begins = T0) => {
  const plan = planOf(
    Array.from({ length: tools }, (_, i) => plannedTool(i)),
    over,
  );
  return new RunHistory(random, plan, { tenant, app, begins });
};

async function project(...histories: RunHistory[]): Promise<number> {
  let last = 0;
  for (const { events } of histories) last = await publish(nc, events);
  await tables.reached(last);
  return last;
}

describe('the query `run`', () => {
  it('answers the state and the position that it stands for', async () => {
    const history = newRun(3, 'run1').succeed(2);
    const last = await project(history);
    const reply = await ask('run', runQueryReply, { tenant: 'run1', run: history.run_id });
    if (!reply.found) throw new Error('not found');
    const { epoch } = await tables.position();
    expect(reply.position).toEqual({ epoch, partition: 0, seq: last });
    const expected = expectedStates(history.events, last - history.events.length + 1).get(history.run_id);
    expect({ ...reply.state, tools: reply.tools }).toEqual(expected);
    expect(reply.next_index).toBeUndefined();
  });

  it('knows no run of another tenant, and none that is not there', async () => {
    const history = newRun(1, 'run1');
    await project(history);
    expect(await ask('run', runQueryReply, { tenant: 'run2', run: history.run_id })).toEqual({ found: false });
    const absent = newRun(1, 'run1').run_id;
    expect(await ask('run', runQueryReply, { tenant: 'run1', run: absent })).toEqual({ found: false });
    expect(await refusal('run', { tenant: 'run1', run: '*' })).toMatchObject({ error: { code: 'bad_request' } });
  });

  it('pages large runs: no reply passes 512 KiB, and the pages make the whole', async () => {
    const history = newRun(60, 'run1').succeed();
    const large = newRun(60, 'run1');
    large.advance();
    for (let i = 0; i < 60; i++) {
      large.start(i);
      large.of(i, 'tool.output.v1', { channel: 'stdout', text: '\u001b'.repeat(16_384) });
    }
    await project(history, large);
    const tools: unknown[] = [];
    let pages = 0;
    for (let from: number | undefined = 0; from !== undefined; pages++) {
      const body = JSON.stringify({ tenant: 'run1', run: large.run_id, from_index: from });
      const reply = await nc.request(querySubject('run'), body, { timeout: 5_000 });
      expect(reply.data.length).toBeLessThanOrEqual(512 * 1024);
      const page = runQueryReply.parse(reply.json());
      if (!page.found) throw new Error('not found');
      tools.push(...page.tools);
      from = page.next_index;
    }
    expect(pages).toBeGreaterThan(10);
    const { state } = (await tables.pool.query('select state from toolstream.runs where run_id = $1', [large.run_id]))
      .rows[0];
    expect(tools).toHaveLength(60);
    expect({ ...state, tools }).toEqual((await tables.states()).get(large.run_id));
  });
});

describe('the query `runs`', () => {
  it('lists newest first, page by page, none twice and none left out while others arrive', async () => {
    // Several accepted at the same moment: the id decides their order.
    const histories = Array.from({ length: 25 }, (_, i) => {
      const history = new RunHistory(random, planOf([plannedTool(0)]), { tenant: 'runs1', app: `a${i % 2}` });
      return Object.assign(history.events[0]!, {
        time: new Date(Date.UTC(2026, 1, 1) + (i >> 2) * 1_000).toISOString(),
      });
    });
    let last = await publish(nc, histories);
    await tables.reached(last);
    const wanted = histories
      .map(({ time, runid }) => [time, runid] as const)
      .sort(([a, x], [b, y]) => (a === b ? (x < y ? 1 : -1) : a < b ? 1 : -1))
      .map(([, run]) => run);
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const page = await ask('runs', runsQueryReply, { tenant: 'runs1', apps: '*', limit: 7, before });
      seen.push(...page.runs.map(({ run_id }) => run_id));
      before = page.next;
      last = await publish(nc, [newRun(1, 'runs1', {}, 'app1', Date.UTC(2027, 0, 1)).events[0]!]);
      await tables.reached(last);
    } while (before !== undefined);
    expect(seen).toEqual(wanted);
  });

  it('limits to apps, app, status and message', async () => {
    const ended = newRun(1, 'runs2', { message_id: 'm1' }, 'x').succeed();
    const live = newRun(1, 'runs2', { message_id: 'm2' }, 'y');
    const last = await project(ended, live);
    const ids = async (more: object) =>
      (await ask('runs', runsQueryReply, { tenant: 'runs2', apps: '*', ...more })).runs.map(({ run_id }) => run_id);
    expect((await ids({})).sort()).toEqual([ended.run_id, live.run_id].sort());
    expect(await ids({ apps: ['x'] })).toEqual([ended.run_id]);
    expect(await ids({ apps: ['x'], app: 'y' })).toEqual([]);
    expect(await ids({ apps: [] })).toEqual([]);
    expect(await ids({ status: ['accepted', 'running', 'paused', 'cancelling'] })).toEqual([live.run_id]);
    expect(await ids({ status: ['succeeded'] })).toEqual([ended.run_id]);
    expect(await ids({ message_id: 'm2' })).toEqual([live.run_id]);
    const [item] = (await ask('runs', runsQueryReply, { tenant: 'runs2', apps: '*', message_id: 'm1' })).runs;
    const { epoch } = await tables.position();
    expect(item).toMatchObject({
      cursor: `${epoch}.0:${last - 1}`,
      tools_total: 1,
      tools_ended: 1,
      status: 'succeeded',
    });
    expect(item?.summary).toMatchObject({ total: 1, successful: 1 });
  });

  it('limits to runs with a call of a tool, and to a time', async () => {
    const at = (day: number) => Date.UTC(2026, 4, day);
    const named = (names: string[], day: number) => {
      const plan = planOf(names.map((name, i) => ({ ...plannedTool(i), name })));
      return new RunHistory(random, plan, { tenant: 'runs3', app: 'app1', begins: at(day) });
    };
    const first = named(['read', 'write', 'read'], 1);
    const second = named(['write', 'list'], 2);
    const third = named(['search'], 3);
    await project(first, second, third);
    const ids = async (more: object) =>
      (await ask('runs', runsQueryReply, { tenant: 'runs3', apps: '*', ...more })).runs.map(({ run_id }) => run_id);
    expect(await ids({ tool: 'write' })).toEqual([second.run_id, first.run_id]);
    expect(await ids({ tool: 'wri' })).toEqual([]);
    expect(await ids({ tool: 'write', limit: 1 })).toEqual([second.run_id]);
    const day = (n: number) => new Date(at(n)).toISOString();
    expect(await ids({ since: day(2) })).toEqual([third.run_id, second.run_id]);
    expect(await ids({ until: day(2) })).toEqual([first.run_id]);
    expect(await ids({ since: day(2), until: day(3), tool: 'list' })).toEqual([second.run_id]);
    const { runs } = await ask('runs', runsQueryReply, { tenant: 'runs3', apps: '*', until: day(2) });
    expect(runs).toMatchObject([{ tool_names: ['read', 'write'], awaiting_approval: 0 }]);
  });

  it('refuses a page that it never gave', async () => {
    expect(await refusal('runs', { tenant: 't1', apps: '*', before: 'nonsense' })).toMatchObject({
      error: { code: 'bad_cursor' },
    });
  });
});

describe('the query `stats`', () => {
  it('gives the figures of a hand-computed example', async () => {
    const now = Date.now();
    const history = new RunHistory(
      random,
      planOf(Array.from({ length: 8 }, (_, i) => plannedTool(i, { name: i < 6 ? 'grep' : 'write', retries: NEVER }))),
      { tenant: 'stats1', app: 'x', begins: now - 70_000 },
    );
    const error = { code: 'tool_error', message: 'no' };
    history.at(now - 60_000).advance();
    const measured = (duration_ms: number, queue_ms: number) => ({ duration_ms, queue_ms });
    // grep: 100, 200, 300 and 400 ms succeed, one fails after 5 ms, one is still running. write: one succeeds, by events.
    for (const [index, duration, queue] of [
      [0, 100, 10],
      [1, 200, 20],
      [2, 300, 30],
      [3, 400, 40],
    ] as const) {
      history.start(index);
      history.of(index, 'tool.succeeded.v1', { result: 1, metrics: measured(duration, queue) });
    }
    history.start(4);
    history.of(4, 'tool.failed.v1', { error, retryable: false, metrics: measured(5, 50) });
    history.start(5);
    history.at(now - 59_000).start(6);
    history.at(now - 57_500).of(6, 'tool.succeeded.v1', { result: 1, metrics: {} });
    history.at(now - 57_000).start(7);
    history.of(7, 'tool.cancelled.v1', {});
    await project(history);

    const stats = (more: object) =>
      ask('stats', statsQueryReply, { tenant: 'stats1', apps: '*', window_ms: 3_600_000, ...more });
    const { tools, projection: lag } = await stats({});
    expect(tools).toEqual([
      {
        name: 'grep',
        runs: 5,
        succeeded: 4,
        failed: 1,
        success_rate: 0.8,
        duration_p50_ms: 250,
        duration_p95_ms: 385,
        queue_p50_ms: 30,
        queue_p95_ms: 48,
      },
      {
        name: 'write',
        runs: 2,
        succeeded: 1,
        failed: 0,
        success_rate: 1,
        duration_p50_ms: 1_500,
        duration_p95_ms: 1_500,
        queue_p50_ms: 2_000,
        queue_p95_ms: 2_900,
      },
    ]);
    expect(lag).toEqual({ pending: 0, lag_ms: 0 });
    expect((await stats({ apps: ['y'] })).tools).toEqual([]);
    expect((await stats({ window_ms: 58_000 })).tools.map(({ name }) => name)).toEqual(['write']);
    expect((await stats({ tenant: 'stats2' })).tools).toEqual([]);
  });

  it('cuts the window into parts where that is asked for, and counts the codes of failures', async () => {
    const minute = 60_000;
    const begins = Math.floor((Date.now() - 10 * minute) / minute) * minute;
    const one = plannedTool(0, { name: 'grep', retries: NEVER });
    const history = new RunHistory(random, planOf(Array.from({ length: 6 }, (_, index) => ({ ...one, index }))), {
      tenant: 'trend1',
      app: 'x',
      begins,
    });
    history.at(begins).advance();
    const end = (index: number, at: number, type: 'succeeded' | 'failed', data: object) => {
      history.at(at).start(index);
      history.of(index, `tool.${type}.v1`, { ...data, metrics: { duration_ms: 100 * (index + 1), queue_ms: index } });
    };
    const failed = (code: string) => ({ error: { code, message: 'no\u0000' }, retryable: false });
    end(0, begins + 10, 'succeeded', { result: 1 });
    end(1, begins + 20, 'succeeded', { result: 1 });
    end(2, begins + minute - 1, 'failed', failed('timeout'));
    // Nothing ended in the two parts between.
    end(3, begins + 3 * minute, 'failed', failed('tool_error'));
    end(4, begins + 3 * minute + 1, 'failed', failed('timeout'));
    end(5, begins + 4 * minute, 'succeeded', { result: 1 });
    await project(history);
    const ask1 = (more: object) =>
      ask('stats', statsQueryReply, { tenant: 'trend1', apps: '*', window_ms: 30 * minute, ...more });

    const { bucket_ms, tools } = await ask1({ buckets: 30 });
    expect(bucket_ms).toBe(minute);
    const [grep] = tools;
    expect(grep?.failures).toEqual([
      { code: 'timeout', calls: 2 },
      { code: 'tool_error', calls: 1 },
    ]);
    const at = (minutes: number) => new Date(begins + minutes * minute).toISOString();
    const none = { duration_p50_ms: null, duration_p95_ms: null };
    expect(grep?.trend).toEqual([
      {
        at: at(0),
        ...{ runs: 3, succeeded: 2, failed: 1 },
        ...{ duration_p50_ms: 150, duration_p95_ms: 195, queue_p50_ms: 1, queue_p95_ms: 1.9 },
      },
      { at: at(3), runs: 2, succeeded: 0, failed: 2, ...none, queue_p50_ms: 3.5, queue_p95_ms: 4 },
      {
        at: at(4),
        ...{ runs: 1, succeeded: 1, failed: 0 },
        ...{ duration_p50_ms: 600, duration_p95_ms: 600, queue_p50_ms: 5, queue_p95_ms: 5 },
      },
    ]);
    const plain = await ask1({});
    expect(plain.bucket_ms).toBeUndefined();
    expect(plain.tools).toEqual(tools.map(({ trend: _trend, failures: _failures, ...figures }) => figures));
    expect((await ask1({ buckets: 30, apps: ['y'] })).tools).toEqual([]);
    expect(await refusal('stats', { tenant: 'trend1', apps: '*', window_ms: 1000, buckets: 61 })).toMatchObject({
      error: { code: 'bad_request' },
    });
  });

  it('has room for the names of many tools, and gives trends of those with most calls', async () => {
    // More often than the others is only the last; of equals the first by name are taken.
    const names = Array.from({ length: 70 }, (_, i) => `${String(i).padStart(3, '0')}-${'\u0001'.repeat(200)}`);
    const tools = [...names, names.at(-1)!].map((name, index) => plannedTool(index, { name }));
    await project(new RunHistory(random, planOf(tools), { tenant: 'trend2', begins: Date.now() - 60_000 }).succeed());
    const body = { tenant: 'trend2', apps: '*', window_ms: 3_600_000, buckets: 60 };
    const reply = await nc.request(querySubject('stats'), JSON.stringify(body), { timeout: 5_000 });
    expect(reply.data.length).toBeLessThan(1024 * 1024);
    const stats = statsQueryReply.parse(reply.json());
    expect(stats.tools.map(({ name }) => name)).toEqual(names);
    const withTrend = stats.tools.filter(({ trend }) => trend).map(({ name }) => name);
    expect(withTrend).toEqual([...names.slice(0, MAX_TREND_TOOLS - 1), names.at(-1)]);
  });
});

const NEVER = { max_attempts: 1, initial_ms: 0, factor: 1, max_ms: 0 };

describe('the queries of the services', () => {
  it('`positions` says how far each partition is', async () => {
    const last = await project(newRun(1, 'positions1'));
    const { epoch } = await tables.position();
    const { positions } = await ask('positions', positionsQueryReply, {});
    expect(positions).toEqual([{ epoch, partition: 0, seq: last, event_at: expect.any(String) }]);
    // When the log stored it, not what the event says of itself.
    expect(Math.abs(Date.now() - Date.parse(positions[0]!.event_at!))).toBeLessThan(30_000);
  });

  it('`live` gives every run that has not ended, page by page', async () => {
    const live = [newRun(1, 'live1'), newRun(2, 'live1'), newRun(1, 'live2')];
    await project(newRun(1, 'live1').succeed(), ...live);
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await ask('live', liveQueryReply, { limit: 2, after });
      seen.push(...page.runs.filter(({ tenant }) => tenant.startsWith('live')).map(({ run }) => run));
      after = page.next;
    } while (after !== undefined);
    expect(seen).toEqual(live.map(({ run_id }) => run_id).sort());
  });

  it('are refused as unavailable while Postgres is away, and answered when it is back', async () => {
    await servers.postgres.kill9();
    const reply = await request(nc, querySubject('positions'), {}, { timeoutMs: 10_000 });
    expect(reply).toMatchObject({ error: { code: 'unavailable' } });
    await servers.postgres.start();
    await until(
      () => refusal('positions', {}),
      ({ error }) => error === undefined,
    );
  });
});

describe('the estimates', () => {
  it('learn the median of the newest succeeded calls and tell it when it changes', async () => {
    const tell = async (durations: readonly number[], name: string) => {
      const tools = durations.map((_, i) => plannedTool(i, { name }));
      const history = new RunHistory(random, planOf(tools), { tenant: 'learn1' });
      history.advance();
      for (const [index, duration_ms] of durations.entries()) {
        history.start(index);
        history.of(index, 'tool.succeeded.v1', { result: 1, metrics: { duration_ms } });
      }
      await project(history);
    };
    const kv = await new Kvm(nc).create(ESTIMATES_BUCKET);
    const estimate = async (name: string) => toolEstimate.parse((await kv.get(name))?.json());
    const becomes = (name: string, runs: number, p50_ms: number) =>
      until(
        () => estimate(name),
        (answer) => answer.runs === runs && answer.p50_ms === p50_ms,
      );
    await tell([10, 30, 50], 'learner');
    await becomes('learner', 3, 30);
    await tell([100, 100], 'learner');
    await becomes('learner', 5, 50);
  });
});
