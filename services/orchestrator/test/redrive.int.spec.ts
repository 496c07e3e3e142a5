import { Kvm } from '@nats-io/kv';
import {
  commandSubject,
  type DeadLetterDetails,
  type DeadLetterItem,
  querySubject,
  type RedriveReply,
  type RunAddress,
} from '@toolstream/proto-events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEAD_LETTERS_BUCKET } from '../src/index.ts';
import { APP, calls, TENANT } from './given.ts';
import { World } from './harness.ts';
import type { HeldJob } from './held-job.ts';

let world: World;
beforeEach(async () => {
  world = await World.start();
  await world.orchestrator('a');
  await world.jobs({ maxDeliver: 2, ackWaitMs: 300 });
});
afterEach(() => world.stop());

const ask = async <T>(subject: string, body: unknown): Promise<T> =>
  (await world.nc.request(subject, JSON.stringify(body), { timeout: 20_000 })).json<T>();
const redrive = (id: string, over: Record<string, unknown> = {}) =>
  ask<RedriveReply>(commandSubject('redrive'), { tenant: TENANT, actor: 'ann', id, ...over });
const list = (over: Record<string, unknown> = {}) =>
  ask<{ entries: DeadLetterItem[]; next?: string }>(querySubject('dlq'), { tenant: TENANT, apps: '*', ...over });
const show = (id: string, tenant = TENANT) =>
  ask<{ found: boolean; entry?: DeadLetterDetails }>(querySubject('dead_letter'), { tenant, id });

/** Takes the run's jobs and lets the first of them die: claimed or not, never acknowledged. Returns its id and the others. */
async function poison(run: RunAddress, { claim = true } = {}): Promise<{ id: string; others: HeldJob[] }> {
  const others: HeldJob[] = [];
  let id: string | undefined;
  while (id === undefined || (await world.state(run))?.tools[0]?.status !== 'failed') {
    const held = await world.takeJob({ expires: 1_000 });
    if (!held) continue;
    if (held.job.index !== 0) {
      // Kept from dying too.
      if (!others.some(({ job }) => job.job_id === held.job.job_id)) others.push(held);
      held.message.working();
      held.message.ack();
    } else if (id === undefined) {
      id = held.job.job_id;
      if (claim) await held.claim();
    }
  }
  return { id, others };
}

const listed = async (id: string): Promise<DeadLetterItem> => {
  for (let tries = 0; tries < 100; tries++) {
    const found = (await list()).entries.find((entry) => entry.id === id);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the dead letter was not kept');
};

describe('A poison job', () => {
  it('is listed for its tenant with everything that running its call again needs', async () => {
    const run = await world.accepted({ calls: calls(1) });
    const { id } = await poison(run);
    expect(await listed(id)).toMatchObject({
      app: APP,
      run_id: run.run,
      index: 0,
      call_id: 'call_0',
      name: 'write',
      reason: 'max_deliveries',
      deliveries: 2,
      started: true,
      idempotent: true,
    });
    const { entry } = await show(id);
    expect(entry).toMatchObject({ id, arguments: { path: 'f0' } });
    const days = (Date.parse(entry!.expires_at) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29);
    expect(days).toBeLessThanOrEqual(30);
    expect((await new Kvm(world.nc).open(DEAD_LETTERS_BUCKET).then((bucket) => bucket.status())).ttl / 86_400_000).toBe(
      30,
    );
    expect(await list({ tenant: 'another' })).toEqual({ entries: [] });
    expect(await show(id, 'another')).toEqual({ found: false });
    expect(await list({ apps: ['other-app'] })).toEqual({ entries: [] });
  });

  it('is redriven in its run while that is live, once, whoever asks how often', async () => {
    const run = await world.accepted({ calls: calls(2) });
    const { id, others } = await poison(run);
    await listed(id);
    const replies = await Promise.all([redrive(id), redrive(id, { actor: 'bob' }), redrive(id)]);
    const again = await redrive(id, { actor: 'eve', reason: 'late' });
    expect(again).toMatchObject({ ok: true, replayed: true, redriven: { as: 'retry', run_id: run.run } });
    for (const reply of replies) expect(reply).toMatchObject({ ok: true });
    expect(new Set([...replies, again].map((reply) => reply.ok && JSON.stringify(reply.redriven))).size).toBe(1);
    const asked = (await world.events(run)).filter(({ type }) => type === 'tool.retry_requested.v1');
    expect(asked).toHaveLength(1);
    expect(['ann', 'bob']).toContain(asked[0]?.event().actor);
    expect(again.ok && again.redriven.cursor).toContain(`:${asked[0]?.seq}`);
    for (const other of others) {
      await other.claim();
      await other.succeed();
    }
    const second = await world.mustTakeJob();
    expect(second.job).toMatchObject({ index: 0, dispatch: 2, arguments: { path: 'f0' } });
    await second.runToSuccess();
    expect((await world.ended(run)).status).toBe('succeeded');
    expect((await show(id)).entry?.redriven).toMatchObject({ as: 'retry', run_id: run.run });
  });

  it('is redriven as a new run once its own has ended, with what was skipped for its sake', async () => {
    const graph = [...calls(2), { ...calls(3)[2]!, depends_on: ['call_0'] }];
    const run = await world.accepted({ calls: graph, message_id: 'm1' });
    const { id, others } = await poison(run, { claim: false });
    for (const other of others) {
      await other.claim();
      await other.succeed();
    }
    expect((await world.ended(run)).tools.map(({ status }) => status)).toEqual(['failed', 'succeeded', 'skipped']);
    expect(await listed(id)).toMatchObject({ started: false });
    const before = await world.types(run);
    const [first, second] = await Promise.all([redrive(id, { reason: 'fixed' }), redrive(id)]);
    const third = await redrive(id);
    if (!first.ok || !second?.ok || !third.ok) throw new Error('refused');
    expect(first.redriven).toMatchObject({ as: 'new_run', actor: 'ann' });
    expect(second.redriven.run_id).toBe(first.redriven.run_id);
    expect(third).toMatchObject({ replayed: true, redriven: { run_id: first.redriven.run_id } });
    const fresh = { tenant: TENANT, app: APP, run: first.redriven.run_id };
    const state = await world.work(fresh);
    expect(state).toMatchObject({ status: 'succeeded', rerun_of: run.run, message_id: 'm1', actor: 'ann' });
    expect(state.tools.map(({ call_id, depends_on }) => [call_id, depends_on])).toEqual([
      ['call_0', []],
      ['call_2', [0]],
    ]);
    expect(await world.types(run)).toEqual(before);
  });

  it('is not redriven after its call was retried, nor where it is another tenant’s or forgotten', async () => {
    const run = await world.accepted({ calls: calls(2) });
    const { id } = await poison(run);
    await listed(id);
    expect(await redrive(id, { tenant: 'another' })).toMatchObject({ ok: false, error: { code: 'not_found' } });
    expect(await redrive(id.replace(/_1$/, '_9'))).toMatchObject({ ok: false, error: { code: 'not_found' } });
    await world.command('retry_tool', run.run, { index: 0 });
    expect(await redrive(id)).toMatchObject({ ok: false, error: { code: 'tool_not_ended' } });
    const again = await world.mustTakeJob();
    await again.claim();
    await again.fail(false);
    expect(await redrive(id)).toMatchObject({ ok: false, error: { code: 'tool_ended' } });
    expect((await show(id)).entry?.redriven).toBeUndefined();
  });

  it('survives a crash between the redrive and its mark: the next one finds what was done', async () => {
    const run = await world.accepted({ calls: calls(1) });
    const { id } = await poison(run);
    await listed(id);
    const first = await redrive(id);
    const bucket = await new Kvm(world.nc).open(DEAD_LETTERS_BUCKET);
    const key = `${TENANT}.${APP}.${id}`;
    const { redriven, ...unmarked } = (await bucket.get(key))!.json<Record<string, unknown>>();
    expect(redriven).toBeDefined();
    await bucket.put(key, JSON.stringify(unmarked));
    const second = await redrive(id, { actor: 'bob' });
    if (!first.ok || !second.ok) throw new Error('refused');
    expect(second.redriven).toMatchObject({ run_id: first.redriven.run_id, cursor: first.redriven.cursor });
  });
});

describe('A list of dead letters', () => {
  it('comes in pages, the most recently changed first, within the apps of who asks', async () => {
    const bucket = await new Kvm(world.nc).open(DEAD_LETTERS_BUCKET);
    const run = await world.accepted({ calls: calls(1) });
    const { id } = await poison(run);
    await listed(id);
    const letter = (await bucket.get(`${TENANT}.${APP}.${id}`))!.json<{ job: Record<string, unknown> }>();
    for (let dispatch = 2; dispatch <= 6; dispatch++) {
      const app = dispatch % 2 ? 'odd' : APP;
      const job_id = id.replace(/_1$/, `_${dispatch}`);
      await bucket.create(
        `${TENANT}.${app}.${job_id}`,
        JSON.stringify({ ...letter, job: { ...letter.job, app, job_id } }),
      );
    }
    const dispatches: number[] = [];
    for (let before: string | undefined; ; ) {
      const page = await list({ limit: 4, ...(before === undefined ? {} : { before }) });
      dispatches.push(...page.entries.map((entry) => Number(entry.id.split('_').at(-1))));
      before = page.next;
      if (before === undefined) break;
    }
    expect(dispatches).toEqual([6, 5, 4, 3, 2, 1]);
    const odd = await list({ apps: ['odd'] });
    expect(odd.entries.map((entry) => entry.app)).toEqual(['odd', 'odd']);
    expect((await list({ app: APP })).entries).toHaveLength(4);
  });
});

describe('A store of dead letters that was made without an end of its entries', () => {
  it('gets one when an orchestrator starts', async () => {
    await world.jsm.streams.update(`KV_${DEAD_LETTERS_BUCKET}`, { max_age: 0 });
    const bucket = await new Kvm(world.nc).open(DEAD_LETTERS_BUCKET);
    expect((await bucket.status()).ttl).toBe(0);
    await world.orchestrator('b');
    expect((await bucket.status()).ttl / 86_400_000).toBe(30);
  });
});
