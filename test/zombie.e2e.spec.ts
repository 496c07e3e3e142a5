import { problemsOfHistory } from '@toolstream/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack, until } from './support/stack.ts';

const LEASE_MS = 2_000;
let t: TestStack;
beforeAll(async () => {
  t = await startTestStack({ executors: 2, env: { TOOLSTREAM_LEASE_MS: String(LEASE_MS), SLOTS: '4' } });
});
afterAll(() => t?.stop());

describe('An executor that is stopped past its lease and then continued', () => {
  it('can append nothing any more, neither progress nor a result', async () => {
    const client = t.client();
    // Long enough that the frozen attempt has both progress and a result still to append when it wakes.
    const { run_id } = await client.submit({
      app: 'zombie',
      tool_calls: [{ id: 'a', name: 'steps', arguments: { steps: 40, ms: 100 } }],
    });
    const first = await until('first attempt', 10_000, async () =>
      (await t.history(run_id)).find((r) => r.event.type === 'tool.progressed.v1'),
    );
    const holder = first.event.source.replace('toolstream/', '');
    process.kill(t.stack.pidOf(holder)!, 'SIGSTOP');
    const frozenAt = (await t.history(run_id)).at(-1)!.seq;

    const takeover = await until('take-over by the other executor', LEASE_MS * 5, async () =>
      (await t.history(run_id)).find((r) => r.event.type === 'tool.started.v1' && r.event.attempt === 2),
    );
    expect(takeover.event.source).not.toBe(first.event.source);
    process.kill(t.stack.pidOf(holder)!, 'SIGCONT');

    const state = await client.watch(run_id).done;
    expect(state.status).toBe('succeeded');
    // Time for the woken one to try whatever it still wants to.
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    const history = await t.history(run_id);
    expect(
      history.filter((r) => r.seq > frozenAt && r.event.source === first.event.source && r.event.attempt === 1),
    ).toEqual([]);
    expect(problemsOfHistory(history)).toEqual([]);
    expect(history.filter((r) => r.event.type === 'tool.succeeded.v1')).toHaveLength(1);
  });

  it('leaves a tool that is not idempotent to a person', async () => {
    const client = t.client();
    const { run_id } = await client.submit({
      app: 'zombie',
      tool_calls: [{ id: 'a', name: 'careful', arguments: { ms: 1_500 } }],
    });
    const started = await until('attempt', 10_000, async () =>
      (await t.history(run_id)).find((r) => r.event.type === 'tool.started.v1'),
    );
    const holder = started.event.source.replace('toolstream/', '');
    process.kill(t.stack.pidOf(holder)!, 'SIGSTOP');
    try {
      const state = await until('the question', LEASE_MS * 6, async () => {
        const run = await client.get(run_id);
        return run.tools[0]!.status === 'awaiting_approval' ? run : undefined;
      });
      expect(state.tools[0]!.approval).toMatchObject({ reason: 'lost_attempt' });
    } finally {
      process.kill(t.stack.pidOf(holder)!, 'SIGCONT');
    }
    await client.command(run_id, 'approve_tool', { index: 0 });
    expect((await client.watch(run_id).done).status).toBe('succeeded');
    expect(problemsOfHistory(await t.history(run_id))).toEqual([]);
  });
});

describe('An executor that is killed between the write of os-line-replace and its end', () => {
  it('has replaced once: the attempt that takes over finds that write and answers with it', async () => {
    const client = t.client();
    const content = 'one\ntwo\nthree\n';
    const { run_id } = await client.submit({
      app: 'killed',
      tool_calls: [
        { id: 'w', name: 'os-write', arguments: { file_path: 'a.txt', content } },
        {
          id: 'r',
          name: 'replace-then-die',
          // Were it applied twice, the second time would replace what the first one wrote.
          arguments: {
            file_path: 'a.txt',
            first_replaced_line: 2,
            last_replaced_line: 2,
            replace: 'two\ntwo and a half',
          },
        },
      ],
    });
    const state = await client.watch(run_id).done;
    expect(state.status).toBe('succeeded');
    expect(state.tools[1]!.attempt).toBe(2);
    const response = await fetch(`${t.url}/v1/apps/killed/files/a.txt`, {
      headers: { authorization: `Bearer ${await t.token()}` },
    });
    expect(await response.text()).toBe('one\ntwo\ntwo and a half\nthree\n');
    expect(problemsOfHistory(await t.history(run_id))).toEqual([]);
  });
});
