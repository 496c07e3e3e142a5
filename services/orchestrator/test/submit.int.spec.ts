import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APP, calls, endsOf, TENANT, tool } from './given.ts';
import { World } from './harness.ts';

describe('submitting a run', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
    // Two of them: either may get a submission, and the other may be the one that reacts.
    await world.orchestrator('a');
    await world.orchestrator('b');
  });
  afterAll(() => world.stop());

  it('answers with the cursor of run.accepted, sends every parallel call out, and ends the run once', async () => {
    const reply = await world.submit({ calls: calls(5) });
    if (!reply.ok) throw new Error(reply.error.message);
    const run = { tenant: TENANT, app: APP, run: reply.run.run_id };
    const first = (await world.events(run))[0];
    expect(first?.type).toBe('run.accepted.v1');
    expect(reply.run.cursor).toBe(world.log.cursor(0, first?.seq ?? 0));
    expect(reply.run.status).toBe('accepted');
    expect(reply.run.tools).toHaveLength(5);
    expect(reply.run.tools[4]).toEqual({
      index: 4,
      call_id: 'call_4',
      name: 'write',
      description: 'Does write',
      estimated_duration_ms: 100,
    });
    const state = await world.work(run);
    expect(state.status).toBe('succeeded');
    expect(endsOf(await world.types(run))).toEqual(['run.succeeded.v1']);
  });

  it('sends the next sequential call out when the one before has ended', async () => {
    const run = await world.accepted({ calls: calls(3), mode: 'sequential' });
    for (let index = 0; index < 3; index++) {
      const held = await world.mustTakeJob();
      expect(held.job.index).toBe(index);
      expect(await world.jobsWaiting()).toBe(1);
      await held.runToSuccess();
    }
    expect((await world.ended(run)).status).toBe('succeeded');
  });

  it('makes one run of two submissions with one key at the same time', async () => {
    const request = { calls: calls(2), idempotency_key: 'order 66', request_hash: 'same' };
    const replies = await Promise.all([world.submit(request), world.submit(request), world.submit(request)]);
    const runs = replies.map((reply) => (reply.ok ? reply.run : undefined));
    expect(new Set(runs.map((run) => run?.run_id)).size).toBe(1);
    expect(runs[1]).toEqual(runs[0]);
    expect(replies.filter((reply) => reply.ok && reply.replayed)).toHaveLength(2);
    const run = { tenant: TENANT, app: APP, run: runs[0]?.run_id ?? '' };
    expect((await world.types(run)).filter((type) => type === 'run.accepted.v1')).toHaveLength(1);
    await world.work(run);
  });

  it('refuses a key that was used for another body', async () => {
    const key = { idempotency_key: 'once' };
    const run = await world.accepted({ calls: calls(1), request_hash: 'x', ...key });
    const other = await world.submit({ calls: calls(2), request_hash: 'y', ...key });
    expect(other.ok ? '' : other.error.code).toBe('idempotency_key_reused');
    await world.work(run);
  });

  it('keeps the same key of another app or tenant apart', async () => {
    const key = { calls: calls(1), idempotency_key: 'shared' };
    const [a, b, c] = [
      await world.accepted(key),
      await world.accepted({ ...key, app: 'other' }),
      await world.accepted({ ...key, tenant: 'umbrella' }),
    ];
    expect(new Set([a.run, b.run, c.run]).size).toBe(3);
    for (const run of [a, b, { ...c, tenant: 'umbrella' }]) await world.work(run);
  });

  it('fails an unknown tool and arguments that do not fit alone, and runs the rest', async () => {
    const [first] = calls(1);
    const run = await world.accepted({
      calls: [
        { ...first!, call_id: 'a', name: 'nobody-serves-this' },
        { ...first!, call_id: 'b', arguments: { path: 7 } },
        { ...first!, call_id: 'c' },
      ],
    });
    const state = await world.work(run);
    expect(state.tools.map((t) => t.error?.code ?? t.status)).toEqual([
      'unknown_tool',
      'invalid_arguments',
      'succeeded',
    ]);
    expect(state.tools[1]?.error?.message).toContain('arguments/path must be string');
    expect(state.status).toBe('failed');
  });

  it('knows a tool that was announced a moment ago', async () => {
    await world.announce(tool('brand-new'));
    const run = await world.accepted({ calls: calls(1, 'brand-new') });
    expect((await world.work(run)).status).toBe('succeeded');
  });

  it('refuses duplicate call ids, a cycle and what is no submission', async () => {
    const [one] = calls(1);
    const code = async (body: object) => {
      const reply = await world.submit(body as never);
      return reply.ok ? 'accepted' : reply.error.code;
    };
    expect(await code({ calls: [one, one] })).toBe('duplicate_call_id');
    expect(
      await code({
        calls: [
          { ...one, call_id: 'a', depends_on: ['b'] },
          { ...one, call_id: 'b', depends_on: ['a'] },
        ],
      }),
    ).toBe('dependency_cycle');
    expect(await code({ calls: [] })).toBe('invalid');
  });
});

describe('when the log is full', () => {
  it('answers log_full and accepts nothing', async () => {
    const world = await World.start({ maxBytes: 20_000 });
    try {
      await world.orchestrator('a');
      const codes: string[] = [];
      for (let i = 0; i < 40 && codes.at(-1) !== 'log_full'; i++) {
        const reply = await world.submit({ calls: calls(1, 'ask') });
        codes.push(reply.ok ? 'accepted' : reply.error.code);
      }
      expect(codes.at(-1)).toBe('log_full');
      expect(codes[0]).toBe('accepted');
    } finally {
      await world.stop();
    }
  });
});
