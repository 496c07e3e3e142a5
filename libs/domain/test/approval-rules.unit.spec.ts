import { isRunEnded, type PlannedTool, type ToolstreamEvent } from '@toolstream/proto-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  APPROVAL_EXPIRY_ACTOR,
  type Command,
  decide,
  evolve,
  isOutstanding,
  mayAnswer,
  outstanding,
  type Recorded,
  react,
} from '../src/index.ts';
import { acceptedRun, advanceCommand, ask, askTool, at, event, given, now, plannedTool, startedRun } from './given.ts';
import { act, history } from './histories.ts';
import { toolsOf, World } from './world.ts';

const LIMIT = 600_000;
const asking = (over: Partial<PlannedTool> = {}) =>
  acceptedRun({ tools: [plannedTool(0, { approval_policy: 'always', approval_timeout_ms: LIMIT, ...over })] });
const requested = (ms: number) =>
  event('tool.approval_requested.v1', { reason: 'policy', expires_at: at(ms + LIMIT) }, { tool: 0, ms });
const waits = [asking(), startedRun(), requested(1_000)];

describe('An approval that nobody answers', () => {
  it('says when it expires', () => {
    const { decision } = given(asking(), startedRun()).when(advanceCommand, 1_000);
    expect(decision).toMatchObject({
      drafts: [{ type: 'tool.approval_requested.v1', data: { reason: 'policy', expires_at: at(1_000 + LIMIT) } }],
    });
  });

  it('never expires where neither the tool nor the service sets a time', () => {
    const { decision } = given(
      acceptedRun({ tools: [plannedTool(0, { approval_policy: 'always' })] }),
      startedRun(),
    ).when(advanceCommand);
    expect(JSON.stringify(decision)).not.toContain('expires_at');
  });

  it('is denied in the name of the service when its time is over, and not before', () => {
    given(...waits)
      .when(advanceCommand, 999 + LIMIT)
      .thenNothing();
    const { decision } = given(...waits).when(advanceCommand, 1_000 + LIMIT);
    expect(decision).toMatchObject({
      drafts: [
        { type: 'tool.denied.v1', actor: APPROVAL_EXPIRY_ACTOR, data: { expired: true } },
        { type: 'run.failed.v1' },
      ],
    });
  });

  it('sets a durable timer, which a restart sets again and an answer makes pointless', () => {
    const { state } = given(...waits);
    const [timer] = react(state, waits[2]!);
    expect(timer).toMatchObject({ type: 'timer', timer: { kind: 'approval', index: 0, due_at: at(1_000 + LIMIT) } });
    expect(outstanding(state)).toContainEqual(timer);
    const answered = given(...waits, event('tool.denied.v1', {}, { tool: 0, ms: 2_000 })).state;
    expect(isOutstanding(answered, timer!)).toBe(false);
  });

  it('is told from a person’s answer in the state', () => {
    const expired = event('tool.denied.v1', { reason: 'late', expired: true }, { tool: 0, ms: LIMIT });
    expect(given(...waits, expired).state.tools[0]).toMatchObject({ status: 'denied', approval: { expired: true } });
  });

  it('is waited for without the time of a pause, in which a person may still answer', () => {
    const paused = [...waits, event('run.paused.v1', {}, { ms: 2_000 })];
    given(...paused)
      .when(advanceCommand, 100 * LIMIT)
      .thenNothing();
    expect(
      outstanding(given(...paused).state).filter((e) => e.type === 'timer' && e.timer.kind === 'approval'),
    ).toEqual([]);
    given(...paused)
      .when(askTool('approve_tool', 0), 100 * LIMIT)
      .thenAppends('tool.approved.v1');
    const resume = event('run.resumed.v1', {}, { ms: 2_000 + 5 * LIMIT });
    const { state } = given(...paused, resume);
    expect(state.tools[0]!.approval!.expires_at).toBe(at(1_000 + 6 * LIMIT));
    expect(react(state, resume)).toContainEqual(
      expect.objectContaining({ timer: expect.objectContaining({ kind: 'approval', due_at: at(1_000 + 6 * LIMIT) }) }),
    );
  });

  it('that a timer from before a pause announces is waited for all the same', () => {
    const [early] = react(given(...waits).state, waits[2]!);
    const resumed = [
      ...waits,
      event('run.paused.v1', {}, { ms: 2_000 }),
      event('run.resumed.v1', {}, { ms: 2_000 + LIMIT }),
    ];
    const timer = early?.type === 'timer' ? early.timer : undefined;
    given(...resumed)
      .when({ type: 'timer', timer: timer! }, 1_000 + LIMIT)
      .thenNothing();
  });

  it('ends a lost attempt as failed', () => {
    const lost = event('tool.approval_requested.v1', { reason: 'lost_attempt', expires_at: at(LIMIT) }, { tool: 0 });
    const denied = event('tool.denied.v1', { expired: true }, { tool: 0, ms: LIMIT });
    expect(given(asking(), startedRun(), lost, denied).state.tools[0]).toMatchObject({
      status: 'failed',
      error: { code: 'lost_attempt_denied' },
    });
  });
});

describe('Who may answer', () => {
  const ann = { actor: 'ann' };
  const root = { actor: 'root', admin: true };

  it('is everybody who controls runs, unless the tool says otherwise', () => {
    expect([mayAnswer({}, ann), mayAnswer({ approvers: 'control' }, ann)]).toEqual([true, true]);
    expect([mayAnswer({ approvers: 'admin' }, ann), mayAnswer({ approvers: 'admin' }, root)]).toEqual([false, true]);
    const named = { approvers: ['bob', 'eve'] };
    expect([mayAnswer(named, ann), mayAnswer(named, { actor: 'bob' }), mayAnswer(named, root)]).toEqual([
      false,
      true,
      true,
    ]);
    expect(mayAnswer({ approvers: ['admin'] }, { actor: 'control' })).toBe(false);
  });

  it('is refused as forbidden to others, whatever has become of the call, and recorded as the actor otherwise', () => {
    const events: ToolstreamEvent[] = [asking({ approvers: ['bob'] }), startedRun(), requested(0)];
    for (const type of ['approve_tool', 'deny_tool'] as const) {
      given(...events)
        .when(askTool(type, 0))
        .thenRefused('forbidden');
      const bob = { ...askTool(type, 0), actor: 'bob' } as Command;
      expect(given(...events).when(bob).decision).toMatchObject({ ok: true, drafts: [{ actor: 'bob' }] });
    }
    const approved = event('tool.approved.v1', {}, { tool: 0, id: 'c-bobs' });
    given(...events, approved)
      .when(askTool('approve_tool', 0))
      .thenRefused('forbidden');
  });

  it('does not limit who may cancel', () => {
    given(asking({ approvers: 'admin' }), startedRun(), requested(0))
      .when(askTool('cancel_tool', 0))
      .thenAppends('tool.cancel_requested.v1');
  });
});

describe('Arguments that an approver wrote', () => {
  const edit = (misfit?: string): Command => ({
    type: 'approve_tool',
    id: 'k1',
    actor: 'ann',
    index: 0,
    arguments: { a: 1 },
    misfit,
  });

  it('are refused when they do not fit the tool, and then nothing is approved', () => {
    given(...waits)
      .when(edit('arguments/a must be string'))
      .thenRefused('invalid');
    given(...waits)
      .when(edit())
      .thenAppends('tool.approved.v1');
  });

  it('of a command that was carried out are not judged again', () => {
    const events = [...waits, event('tool.approved.v1', { arguments: { a: 1 } }, { tool: 0, id: 'c-k1' })];
    given(...events)
      .when(edit('the schema has changed since'))
      .thenAlready(4);
  });
});

describe('What a pause does to a running call', () => {
  it('is frozen in the plan and goes out with the job', () => {
    const { state } = given(acceptedRun({ tools: [plannedTool(0, { pause: 'finish' })] }), startedRun());
    const drafted = decide(advanceCommand, state, now(0));
    const draft = drafted.ok ? drafted.drafts[0]! : undefined;
    const queued = event('tool.queued.v1', draft!.data as { dispatch: number; tool_seq: number; cause: 'first' }, {
      tool: 0,
    });
    const after = evolve(state, { event: queued, seq: 3 })!;
    expect(react(after, queued)).toMatchObject([{ type: 'job', job: { pause: 'finish' } }]);
  });

  it('is refused to no command: a run pauses whatever its tools do', () => {
    given(acceptedRun({ tools: [plannedTool(0, { pause: 'finish' })] }), startedRun())
      .when(ask('pause'))
      .thenAppends('run.paused.v1');
  });
});

describe('Whatever the actors do, approvals with a time', () => {
  /** Fair play, in which nobody answers any more. */
  function settleUnanswered(world: World): void {
    for (let round = 0; round < 300 && !isRunEnded(world.state().status); round++) {
      world.clock += 20_000;
      world.command({ type: 'resume', id: `settle${round}`, actor: 'a' });
      world.command({ type: 'advance' });
      const waiting = world.jobs.filter((j) => !j.acked).length;
      for (let i = 0; i < waiting; i++) world.deliver(i);
      world.attempts.forEach((_, i) => {
        world.attempt(i, 'succeed', true);
      });
      world.command({ type: 'advance' });
    }
  }
  const timed = (shapes: number[], graph: boolean) =>
    toolsOf(shapes, graph).map((tool) => ({ ...tool, approval_timeout_ms: 15_000 }));

  it('never keep a run from its end', () => {
    let expiries = 0;
    const property = fc.property(history, ({ ordering, shapes, actions }) => {
      const world = new World({ ordering, tools: timed(shapes, ordering === 'graph') });
      for (const a of actions) act(world, a);
      settleUnanswered(world);
      expect(isRunEnded(world.state().status)).toBe(true);
      expiries += expiriesIn(world.log).length;
      for (const { event: e } of expiriesIn(world.log)) expect(e.actor).toBe(APPROVAL_EXPIRY_ACTOR);
    });
    fc.assert(property, { seed: 20_262, numRuns: 400 });
    expect(expiries).toBeGreaterThan(50);
  });

  it('are denied only after their time, pauses outside', () => {
    const property = fc.property(history, ({ ordering, shapes, actions }) => {
      const world = new World({ ordering, tools: timed(shapes, ordering === 'graph') });
      for (const a of actions) act(world, a);
      settleUnanswered(world);
      for (const denial of expiriesIn(world.log)) {
        expect(waitedBefore(world.log, denial)).toBeGreaterThanOrEqual(15_000);
      }
    });
    fc.assert(property, { seed: 20_263, numRuns: 400 });
  });

  const expiriesIn = (log: readonly Recorded[]): Recorded[] =>
    log.filter(({ event: e }) => e.type === 'tool.denied.v1' && e.data.expired === true);

  /** Milliseconds between the request and its denial in which the run was not paused, from the events alone. */
  function waitedBefore(log: readonly Recorded[], denial: Recorded): number {
    const time = (r: Recorded): number => Date.parse(r.event.time);
    const before = log.filter((r) => r.seq < denial.seq);
    const asked = before.findLast(
      (r) => r.event.type === 'tool.approval_requested.v1' && r.event.toolindex === denial.event.toolindex,
    )!;
    let waited = time(denial) - time(asked);
    let pausedAt: number | undefined;
    for (const r of before.filter((x) => x.seq > asked.seq)) {
      if (r.event.type === 'run.paused.v1') pausedAt ??= time(r);
      if (r.event.type !== 'run.resumed.v1' || pausedAt === undefined) continue;
      waited -= time(r) - pausedAt;
      pausedAt = undefined;
    }
    return waited;
  }
});
