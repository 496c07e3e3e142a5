import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Command, commandEventId } from '../src/index.ts';
import { acceptedRun, ask, askTool, event, given, queued, started, startedRun } from './given.ts';
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
