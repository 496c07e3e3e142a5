import { isToolEnded, type RunState } from '@toolstream/proto-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, awaitedApprovals, fold } from '../src/index.ts';
import { at, plannedTool } from './given.ts';
import { history, play } from './histories.ts';
import { World } from './world.ts';

/** What still happens without anybody's answer, as the rest of the domain has it. */
const goesOn = (state: RunState, clock: number): boolean =>
  state.status === 'cancelling' ||
  advance(state, { at: at(clock), random: 0.5 }).length > 0 ||
  state.tools.some((tool) => tool.cancel && !isToolEnded(tool.status)) ||
  state.tools.some((tool) => ['queued', 'running', 'retrying'].includes(tool.status));

describe('The approvals that a run waits for', () => {
  it('are named exactly when nothing else goes on', () => {
    let waits = 0;
    const property = (h: Parameters<typeof play>[0]) => {
      const world = play(h);
      for (let events = 1; events <= world.log.length; events++) {
        const state = fold(world.log.slice(0, events))!;
        const awaited = awaitedApprovals(state);
        const asked = state.tools.filter((tool) => tool.status === 'awaiting_approval');
        if (awaited.length > 0) {
          waits++;
          expect(awaited).toEqual(asked);
          expect(goesOn(state, 0)).toBe(false);
        } else if (state.status !== 'paused' && asked.length > 0) {
          expect(goesOn(state, 0)).toBe(true);
        }
      }
    };
    fc.assert(fc.property(history, property), { seed: 20_261, numRuns: 800 });
    expect(waits).toBeGreaterThan(50);
  });

  it('are not all that a paused run waits for while a call could be sent out', () => {
    const asks = plannedTool(0, { approval_policy: 'always' });
    const world = new World({ ordering: 'parallel', tools: [asks, plannedTool(1)] });
    world.command({ type: 'advance' });
    world.command({ type: 'pause', id: 'p', actor: 'ann' });
    world.command({ type: 'advance' });
    expect(world.state().tools.map((tool) => tool.status)).toEqual(['awaiting_approval', 'pending']);
    expect(awaitedApprovals(world.state())).toEqual([]);
  });
});
