import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Command, commandEventId } from '../src/index.ts';
import {
  acceptedRun,
  advanceCommand as advance,
  ask,
  askTool,
  event,
  failed,
  given,
  graph,
  plannedTool,
  queued,
  started,
  startedRun,
  succeeded,
} from './given.ts';
import { act, commanded } from './histories.ts';
import { toolsOf, World } from './world.ts';

/** What may stand where a command's answer points: its own event, or the one that had made it so. */
const MADE_SO: Readonly<Record<string, readonly string[]>> = {
  pause: ['run.paused.v1'],
  // A run that was never paused goes on since it was accepted.
  resume: ['run.resumed.v1', 'run.accepted.v1'],
  cancel: ['run.cancel_requested.v1'],
  cancel_tool: ['tool.cancel_requested.v1'],
  retry_tool: ['tool.retry_requested.v1'],
  approve_tool: ['tool.approved.v1'],
  deny_tool: ['tool.denied.v1'],
};

describe('Commands', () => {
  const running = [acceptedRun(), startedRun(), queued(0), started(0)];
  it('answer a repeated id with the event that it made', () => {
    given(...running, event('run.paused.v1', {}, { id: 'c-k1' }), event('run.resumed.v1', {}))
      .when(ask('pause', 'k1'))
      .thenAlready(5);
  });
  it('are refused after the end', () => {
    const ended = [
      ...running,
      succeeded(0),
      queued(1),
      started(1),
      succeeded(1),
      event('run.succeeded.v1', {
        summary: {
          total: 2,
          successful: 2,
          failed: 0,
          cancelled: 0,
          skipped: 0,
          duration_ms: 1,
          files_created: 0,
          lines_written: 0,
        },
      }),
    ];
    for (const command of [ask('pause'), ask('cancel'), askTool('cancel_tool', 0)])
      given(...ended)
        .when(command)
        .thenRefused('run_ended');
  });
  it('know which calls there are', () =>
    given(...running)
      .when(askTool('cancel_tool', 9))
      .thenRefused('not_found'));
  it('cancel one call and go on with the next', () => {
    given(...running)
      .when(askTool('cancel_tool', 0))
      .thenAppends('tool.cancel_requested.v1');
    given(...running)
      .when(askTool('cancel_tool', 1))
      .thenAppends('tool.cancel_requested.v1');
    given(...running, event('tool.cancel_requested.v1', {}, { tool: 1 }))
      .when(advance)
      .thenAppends('tool.cancelled.v1');
    given(...running, succeeded(0))
      .when(askTool('cancel_tool', 0))
      .thenRefused('tool_ended');
  });
  it('retry what failed, and what was skipped because of it', () => {
    const events = [
      acceptedRun({ ordering: 'graph', tools: graph }),
      startedRun(),
      queued(0),
      queued(3),
      started(0),
      started(3),
      failed(0),
      event('tool.skipped.v1', { reason: 'x', cause_index: 0 }, { tool: 1 }),
      event('tool.skipped.v1', { reason: 'x', cause_index: 1 }, { tool: 2 }),
    ];
    given(...events)
      .when(askTool('retry_tool', 0))
      .thenAppends('tool.retry_requested.v1');
    const retried = given(...events, event('tool.retry_requested.v1', {}, { tool: 0 }));
    expect(retried.state.tools.map((t) => t.status)).toEqual(['pending', 'pending', 'pending', 'running']);
    retried.when(advance).thenAppends('tool.queued.v1');
    given(...events)
      .when(askTool('retry_tool', 3))
      .thenRefused('tool_not_ended');
  });
  it('approve and deny only what waits', () => {
    const tools = [plannedTool(0, { approval_policy: 'always' })];
    const waiting = [
      acceptedRun({ tools }),
      startedRun(),
      event('tool.approval_requested.v1', { reason: 'policy' }, { tool: 0 }),
    ];
    given(acceptedRun({ tools }), startedRun()).when(advance).thenAppends('tool.approval_requested.v1');
    given(...waiting)
      .when({ ...askTool('approve_tool', 0), arguments: { a: 1 } } as never)
      .thenAppends('tool.approved.v1');
    const approved = given(...waiting, event('tool.approved.v1', { arguments: { a: 1 } }, { tool: 0 }));
    expect(approved.state.tools[0]?.arguments).toEqual({ a: 1 });
    approved.when(advance).thenAppends('tool.queued.v1');
    given(...waiting, event('tool.denied.v1', {}, { tool: 0 }))
      .when(advance)
      .thenAppends('run.failed.v1');
    given(...running)
      .when(askTool('approve_tool', 0))
      .thenRefused('not_awaiting_approval');
  });
});

describe('A command that asks for what is so already', () => {
  it('is answered with the event that made it so, is on record, and changes nothing', () => {
    const run = [acceptedRun(), startedRun(), event('run.paused.v1', {}, { id: 'c-first' })];
    given(...run)
      .when(ask('pause', 'second'))
      .thenNoted(3);
    const noted = event('run.command_noted.v1', { command: 'pause', seq: 3 }, { id: 'c-second' });
    const { state } = given(...run, noted);
    expect(state.status).toBe('paused');
    given(...run, noted)
      .when(ask('pause', 'second'))
      .thenAlready(3);
  });

  it('gets the same answer again, also when it has been undone meanwhile', () => {
    const events = [
      acceptedRun(),
      startedRun(),
      event('run.paused.v1', {}, { id: 'c-first' }),
      event('run.command_noted.v1', { command: 'pause', seq: 3 }, { id: 'c-second' }),
      event('run.resumed.v1', {}, { id: 'c-third' }),
    ];
    given(...events)
      .when(ask('pause', 'second'))
      .thenAlready(3);
    expect(given(...events).state.status).toBe('running');
  });

  it('may concern one call', () => {
    const cancelling = event('tool.cancel_requested.v1', {}, { tool: 0, id: 'c-first' });
    const { decision } = given(acceptedRun(), startedRun(), queued(0), started(0), cancelling).when(
      askTool('cancel_tool', 0, 'second'),
    );
    expect(decision).toMatchObject({ seq: 5, drafts: [{ data: { command: 'cancel_tool', index: 0, seq: 5 } }] });
  });
});

describe('Whatever the actors do, an answered command', () => {
  const check = (property: (play: { world: World; answers: [Command, number][] }) => void): void => {
    const played = fc.property(commanded, ({ ordering, shapes, actions }) => {
      const world = new World({ ordering, tools: toolsOf(shapes, ordering === 'graph') });
      const answers: [Command, number][] = [];
      for (const a of actions) act(world, a, (command, seq) => seq !== undefined && answers.push([command, seq]));
      property({ world, answers });
    });
    fc.assert(played, { seed: 20_264, numRuns: 400 });
  };

  it('points at its own event or at the one that had made it so', () => {
    let noted = 0;
    check(({ world, answers }) => {
      for (const [command, seq] of answers) {
        if (!('id' in command)) continue;
        const { event: made } = world.log.find((r) => r.seq === seq)!;
        const id = commandEventId(command.id);
        const own = world.log.find((r) => r.event.id === id)!.event;
        // Ids are few here: one may have been used for another command before, and is then answered with that one's event.
        if (own.type === 'run.command_noted.v1') {
          noted++;
          expect(MADE_SO[own.data.command]).toContain(made.type);
          if (own.data.index !== undefined) expect(made.toolindex).toBe(own.data.index);
        } else {
          expect(made).toBe(own);
        }
      }
    });
    expect(noted).toBeGreaterThan(50);
  });

  it('has one answer for ever', () => {
    let repeated = 0;
    check(({ answers }) => {
      const first = new Map<string, number>();
      for (const [command, seq] of answers) {
        if (!('id' in command)) continue;
        const known = first.get(command.id);
        if (known !== undefined) repeated++;
        expect(seq).toBe(known ?? seq);
        first.set(command.id, seq);
      }
    });
    expect(repeated).toBeGreaterThan(100);
  });
});
