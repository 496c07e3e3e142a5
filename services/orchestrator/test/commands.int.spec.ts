import { isArtifactRef } from '@toolstream/proto-events';
import { openArtifacts } from '@toolstream/stores';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calls, tool } from './given.ts';
import { hooked, World } from './harness.ts';
import { eventBy } from './held-job.ts';

const code = (reply: { ok: boolean; error?: { code: string } }): string =>
  reply.ok ? 'ok' : (reply.error?.code ?? '');

describe('a command on a run', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
    await world.orchestrator('a');
  });
  afterAll(() => world.stop());

  it('is answered with the cursor of its event, and a repetition with the same one', async () => {
    const run = await world.accepted({ calls: calls(1, 'ask') });
    const first = await world.command('pause', run.run, { command_id: 'one', reason: 'lunch' });
    const again = await world.command('pause', run.run, { command_id: 'one' });
    const wish = await world.command('pause', run.run, { command_id: 'two' });
    const paused = (await world.events(run)).find(({ type }) => type === 'run.paused.v1');
    expect(first).toEqual({ ok: true, cursor: world.log.cursor(0, paused?.seq ?? 0) });
    expect(again).toEqual(first);
    expect(wish).toEqual(first);
    expect(paused?.event().actor).toBe('tester');
    await world.command('cancel', run.run);
    expect((await world.ended(run)).status).toBe('cancelled');
  });

  it('finds neither a run that does not exist nor another tenant’s', async () => {
    const run = await world.accepted({ calls: calls(1, 'ask') });
    const unknown = '0-01ARZ3NDEKTSV4RRFFQ69G5FAV';
    expect(code(await world.command('pause', unknown))).toBe('not_found');
    expect(code(await world.command('pause', '7-01ARZ3NDEKTSV4RRFFQ69G5FAV'))).toBe('not_found');
    expect(code(await world.command('pause', run.run, { tenant: 'umbrella' }))).toBe('not_found');
    expect(code(await world.command('cancel_tool', run.run, { index: 9 }))).toBe('not_found');
    expect(code(await world.command('pause', 'nonsense'))).toBe('invalid');
    await world.command('cancel', run.run);
  });

  it('is refused with the code of the core', async () => {
    const run = await world.accepted({ calls: calls(2, 'ask') });
    expect(code(await world.command('retry_tool', run.run, { index: 0 }))).toBe('tool_not_ended');
    expect(code(await world.command('deny_tool', run.run, { index: 0 }))).toBe('ok');
    expect(code(await world.command('cancel_tool', run.run, { index: 0 }))).toBe('tool_ended');
    expect(code(await world.command('approve_tool', run.run, { index: 1, arguments: { nope: 1 } }))).toBe('invalid');
    await world.command('cancel', run.run);
    await world.ended(run);
    expect(code(await world.command('pause', run.run))).toBe('run_ended');
  });

  it('sees what the log holds when it arrives, not what the reactor has come to', async () => {
    const run = await world.accepted({ calls: calls(2) });
    const held = await world.mustTakeJob();
    await held.claim();
    await held.fail(false);
    expect(code(await world.command('cancel_tool', run.run, { index: held.job.index }))).toBe('tool_ended');
    expect(code(await world.command('retry_tool', run.run, { index: held.job.index }))).toBe('ok');
    held.message.ack();
    expect((await world.work(run)).status).toBe('succeeded');
  });

  it('sends an approved call out with the arguments that the approver wrote', async () => {
    const run = await world.accepted({ calls: calls(1, 'ask') });
    await world.until(run, ({ tools }) => tools[0]?.status === 'awaiting_approval');
    await world.command('approve_tool', run.run, { index: 0, arguments: { path: 'edited' } });
    const held = await world.mustTakeJob();
    expect(held.job.arguments).toEqual({ path: 'edited' });
    await held.runToSuccess();
    expect((await world.ended(run)).status).toBe('succeeded');
  });
});

describe('an approval', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
    await world.announce(
      tool('ask-soon', { approval: 'always', approval_timeout_ms: 400 }),
      tool('ask-bob', { approval: 'always', approvers: ['bob'] }),
      tool('ask-admin', { approval: 'always', approvers: 'admin' }),
    );
    await world.orchestrator('a');
  });
  afterAll(() => world.stop());
  const asked = async (name: string) => {
    const run = await world.accepted({ calls: calls(1, name) });
    await world.until(run, ({ tools }) => tools[0]?.status === 'awaiting_approval');
    return run;
  };

  it('that nobody answers is denied by a durable timer, in the name of the service', async () => {
    const run = await asked('ask-soon');
    const state = await world.ended(run);
    expect(state.tools[0]).toMatchObject({ status: 'denied', approval: { actor: 'toolstream', expired: true } });
    const denied = (await world.events(run)).find(({ type }) => type === 'tool.denied.v1')!.event();
    // What the watchers were told, counted from the decision: the event that asks was written a moment later.
    expect(Date.parse(denied.time)).toBeGreaterThanOrEqual(Date.parse(state.tools[0]!.approval!.expires_at!));
  });

  it('does not expire while its run is paused', async () => {
    const run = await asked('ask-soon');
    await world.command('pause', run.run);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect((await world.state(run))?.tools[0]?.status).toBe('awaiting_approval');
    await world.command('resume', run.run);
    expect((await world.ended(run)).tools[0]?.status).toBe('denied');
  });

  it('is answered by those who may, and by nobody else', async () => {
    const bobs = await asked('ask-bob');
    expect(code(await world.command('approve_tool', bobs.run, { index: 0 }))).toBe('forbidden');
    expect(code(await world.command('deny_tool', bobs.run, { index: 0 }))).toBe('forbidden');
    expect(code(await world.command('deny_tool', bobs.run, { index: 0, actor: 'bob' }))).toBe('ok');
    expect((await world.ended(bobs)).tools[0]).toMatchObject({ status: 'denied', approval: { actor: 'bob' } });
    const admins = await asked('ask-admin');
    expect(code(await world.command('deny_tool', admins.run, { index: 0, actor: 'bob' }))).toBe('forbidden');
    expect(code(await world.command('deny_tool', admins.run, { index: 0, admin: true }))).toBe('ok');
    await world.ended(admins);
  });

  it('with large arguments checks them in full and keeps them as an artifact', async () => {
    const values = await openArtifacts(world.nc);
    const run = await asked('ask');
    const large = { path: 'x'.repeat(100_000) };
    const wrong = await values.putJsonIfLarge({ nope: 'x'.repeat(100_000) }, { tenant: run.tenant, run: run.run });
    const nowhere = { $ref: { artifact: `${run.tenant}.none`, bytes: 1, sha256: '0'.repeat(64) } };
    expect(code(await world.command('approve_tool', run.run, { index: 0, arguments: wrong }))).toBe('invalid');
    expect(code(await world.command('approve_tool', run.run, { index: 0, arguments: nowhere }))).toBe('invalid');
    expect(code(await world.command('approve_tool', run.run, { index: 0, arguments: large }))).toBe('ok');
    const held = await world.mustTakeJob();
    expect(isArtifactRef(held.job.arguments)).toBe(true);
    expect(await values.resolve(held.job.arguments, { tenant: run.tenant })).toEqual(large);
    await held.runToSuccess();
  });

  it('that was given is answered alike when its command is repeated, whatever the tool has become since', async () => {
    await world.announce(tool('ask-v', { approval: 'always' }));
    const run = await asked('ask-v');
    const edit = { index: 0, command_id: 'once', arguments: { path: 'edited' } };
    const first = await world.command('approve_tool', run.run, edit);
    await world.announce(tool('ask-v', { approval: 'always', input_schema: { type: 'string' } }));
    await (await world.mustTakeJob()).runToSuccess();
    expect(await world.command('approve_tool', run.run, edit)).toEqual(first);
  });
});

describe('a command that others keep overtaking', () => {
  it('reads and decides again, and says busy when it never gets through', async () => {
    let overtakes = 0;
    const world = await World.start();
    try {
      await world.orchestrator('a', {
        around: hooked(async (event) => {
          if (event.type !== 'run.paused.v1' || overtakes === 0) return;
          overtakes--;
          const run = { tenant: event.tenant, app: event.app, run: event.runid };
          const last = (await world.state(run))?.run_seq ?? 0;
          await world.append(eventBy('test', run, 'run', 'run.started.v1', {}), last);
        }),
      });
      const run = await world.accepted({ calls: calls(1, 'ask') });
      overtakes = 9;
      expect(code(await world.command('pause', run.run))).toBe('ok');
      expect(code(await world.command('resume', run.run))).toBe('ok');
      overtakes = 20;
      const reply = await world.command('pause', run.run, { command_id: 'late' });
      expect(code(reply)).toBe('busy');
      expect(overtakes).toBe(10);
      overtakes = 0;
      expect(code(await world.command('pause', run.run, { command_id: 'late' }))).toBe('ok');
    } finally {
      await world.stop();
    }
  });
});
