import { AckPolicy, type Consumer, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { type Orchestrator, orchestratorConfig, startOrchestrator } from '@toolstream/orchestrator';
import {
  type AcceptedRun,
  type DeadLetterDetails,
  type DeadLetterItem,
  JOBS_STREAM,
  type Job,
  type Redriven,
  TOOLS_BUCKET,
  type ToolDefinition,
} from '@toolstream/proto-events';
import { connectNats, createLogger, startTelemetry, type Telemetry } from '@toolstream/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, until } from './harness.ts';

/** The edge with the real orchestrator, and an executor that takes jobs and never gets to their end. */
let store: TestLog;
let edge: TestEdge;
let orchestrator: Orchestrator;
let telemetry: Telemetry;
let jobs: Consumer;
const closing: (() => Promise<void>)[] = [];
const log = createLogger({ name: 'test', level: process.env.LOG_LEVEL ?? 'silent' });

const write: ToolDefinition = {
  name: 'write',
  description: 'Writes',
  pool: 'default',
  input_schema: { type: 'object' },
  idempotent: true,
  destructive: false,
  isolation: 'inline',
  approval: 'never',
  timeout_ms: 60_000,
  retries: { max_attempts: 1, initial_ms: 1, factor: 1, max_ms: 1 },
  estimated_ms: 100,
};

beforeAll(async () => {
  store = await startTestLog();
  telemetry = await startTelemetry({ name: 'test', instance: 'test-1', log });
  const bucket = await new Kvm(store.nc).create(TOOLS_BUCKET, { history: 1 });
  await bucket.put('default.write', JSON.stringify(write));
  await bucket.put('default.ask', JSON.stringify({ ...write, name: 'ask', approval: 'always' }));
  const nc = await connectNats(store.nats.url, 'orchestrator', log);
  closing.push(() => nc.close());
  const config = orchestratorConfig.parse({ NATS_URL: store.nats.url });
  orchestrator = await startOrchestrator({ nc, config, instance: 'orchestrator-1', log, meter: telemetry.meter });
  const jsm = await jetstreamManager(store.nc);
  const once = { ack_policy: AckPolicy.Explicit, ack_wait: 300e6, max_deliver: 1 };
  await jsm.consumers.add(JOBS_STREAM, { durable_name: 'hands', ...once });
  jobs = await jetstream(store.nc).consumers.get(JOBS_STREAM, 'hands');
  edge = await startTestEdge(store.nats);
});
afterAll(async () => {
  await edge.stop();
  await orchestrator.stop();
  for (const close of closing) await close();
  await telemetry.shutdown();
  await store.stop();
});

const admin = (claims: Record<string, unknown> = {}) => token({ sub: 'ann', scope: 'admin', ...claims });
const ask = async <T>(path: string, as = admin()) => {
  const response = await edge.fetch(path, { token: as });
  return { status: response.status, body: (await response.json()) as T & { code?: string } };
};
const redrive = async (id: string, as = admin(), headers: Record<string, string> = {}) => {
  const body = JSON.stringify({ reason: 'the disk is back' });
  const response = await edge.fetch(`/v1/dlq/${id}/redrive`, { method: 'POST', token: as, body, headers });
  return { response, body: (await response.json()) as Redriven & { id: string; code?: string } };
};
const list = async (query = '', as = admin()) =>
  (await ask<{ entries: DeadLetterItem[]; next?: string }>(`/v1/dlq${query}`, as)).body;

/** Hands a run of some calls over, and lets the first one's job die. */
async function poisoned(names: readonly string[], args: Record<string, unknown> = { path: 'a' }, app = 'app-1') {
  const tool_calls = names.map((name, at) => ({ id: `c${at}`, name, arguments: args }));
  const body = JSON.stringify({ app, mode: 'sequential', tool_calls });
  const accepted = await edge.fetch('/v1/runs', { method: 'POST', body, token: admin() });
  const { run_id } = (await accepted.json()) as AcceptedRun;
  const taken = (await jobs.next({ expires: 5_000 }))!.json<Job>();
  expect(taken.run).toBe(run_id);
  await until(async () => {
    await jobs.next({ expires: 1_000 });
    return (await list()).entries.some(({ id }) => id === taken.job_id);
  });
  return { run: run_id, id: taken.job_id };
}

describe('/v1/dlq', () => {
  it('needs the scope admin', async () => {
    expect((await ask('/v1/dlq', token())).status).toBe(403);
    expect((await ask('/v1/dlq', '')).status).toBe(401);
    const { response } = await redrive('0-01ARZ3NDEKTSV4RRFFQ69G5FAV_0_1', token());
    expect(response.status).toBe(403);
  });

  it('lists and shows the dead letters of the caller’s tenant and apps alone', async () => {
    const { id, run } = await poisoned(['write'], { path: 'big', text: 'x'.repeat(40_000) });
    const own = (await list()).entries.find((entry) => entry.id === id);
    expect(own).toMatchObject({ run_id: run, app: 'app-1', index: 0, name: 'write', deliveries: 1, started: false });
    const shown = await ask<DeadLetterDetails>(`/v1/dlq/${id}`);
    expect(shown.body).toMatchObject({ id, arguments: { path: 'big', text: 'x'.repeat(40_000) } });
    expect((await list('', admin({ tenant: 't2' }))).entries).toEqual([]);
    expect(await ask(`/v1/dlq/${id}`, admin({ tenant: 't2' }))).toMatchObject({ status: 404 });
    expect((await redrive(id, admin({ tenant: 't2' }))).response.status).toBe(404);
    const narrow = admin({ apps: ['other'] });
    expect((await list('', narrow)).entries).toEqual([]);
    expect(await ask(`/v1/dlq/${id}`, narrow)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect((await redrive(id, narrow)).response.status).toBe(403);
    expect(await ask('/v1/dlq?app=app-1', narrow)).toMatchObject({ status: 403 });
    for (const malformed of ['x', `${id}_1`, '..%2F', `${id}.>`])
      expect(await ask(`/v1/dlq/${malformed}`), malformed).toMatchObject({ status: 404, body: { code: 'not_found' } });
    for (const query of ['?limit=0', '?limit=201', '?before=x'])
      expect(await ask(`/v1/dlq${query}`), query).toMatchObject({ status: 422, body: { code: 'invalid' } });
  });

  it('redrives in a new run once the run has ended, and answers repetitions with the first', async () => {
    const { id, run } = await poisoned(['write']);
    const first = await redrive(id);
    expect(first.response.status).toBe(202);
    expect(first.response.headers.get('idempotent-replayed')).toBeNull();
    expect(first.body).toMatchObject({ id, as: 'new_run', actor: 'ann', reason: 'the disk is back' });
    expect(first.response.headers.get('location')).toBe(`/v1/runs/${first.body.run_id}`);
    const fresh = await ask<{ rerun_of: string; tools: { arguments: unknown }[] }>(`/v1/runs/${first.body.run_id}`);
    expect(fresh.body).toMatchObject({ rerun_of: run, tools: [{ arguments: { path: 'a' } }] });
    const second = await redrive(id, admin({ sub: 'bob' }), { 'idempotency-key': 'k1' });
    expect(second.response.headers.get('idempotent-replayed')).toBe('true');
    expect(second.body).toEqual(first.body);
    expect((await list()).entries.find((entry) => entry.id === id)?.redriven).toMatchObject({ actor: 'ann' });
    // The new run's job is taken, so that it is nobody else's.
    await jobs.next({ expires: 2_000 });
  });

  it('redrives as a retry while the run is live', async () => {
    const { id, run } = await poisoned(['write', 'ask']);
    const { response, body } = await redrive(id);
    expect(response.status).toBe(202);
    expect(body).toMatchObject({ as: 'retry', run_id: run });
    const history = await edge.fetch(`/v1/runs/${run}/events`, {
      token: admin(),
      headers: { accept: 'application/x-ndjson' },
    });
    const events = (await history.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event);
    const asked = events.filter((event) => event?.type === 'tool.retry_requested.v1');
    expect(asked).toEqual([
      expect.objectContaining({ actor: 'ann', toolindex: 0, data: { reason: 'the disk is back' } }),
    ]);
  });

  it('comes in pages', async () => {
    const all = (await list()).entries.map(({ id }) => id);
    expect(all.length).toBeGreaterThanOrEqual(3);
    const seen: string[] = [];
    for (let query = '?limit=1'; ; ) {
      const page = await list(query);
      seen.push(...page.entries.map(({ id }) => id));
      if (page.next === undefined) break;
      query = `?limit=1&before=${page.next}`;
    }
    expect(seen).toEqual(all);
  });
});
