import { isToolEnded, type RunState } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { difference, drawing } from '../../src/cable/difference.ts';
import { seeded } from '../seeded.ts';
import { randomStory, Story } from './histories.ts';
import { type Message, shown } from './page-model.ts';

const told = (states: readonly RunState[]): Message[] =>
  states.flatMap((state, at) => difference(states[at - 1], state) as Message[]);
/** A snapshot's state has other objects. */
const copied = (state: RunState): RunState => JSON.parse(JSON.stringify(state)) as RunState;
const brief = ({ action, status, tool_index, progress, stage }: Message) =>
  [action, tool_index, status ?? stage, progress].filter((part) => part !== undefined).join(' ');
const bar = ({ width, text }: { width: string; text: string }) => ({ width, text });

describe('A run, event by event', () => {
  it('is told in the document’s words and order', () => {
    const story = new Story(1).begin().startTool(0).progress(0, 'writing', 40, 'Writing a.ts').succeed(0).end();
    expect(told(story.states).map(brief)).toEqual([
      'tool_queue_initialized',
      'tool_execution_started',
      'tool_status_update 0 starting',
      'tool_progress_update 0 writing 40',
      'tool_progress_update 0 complete 100',
      'tool_status_update 0 complete',
      'tool_execution_complete succeeded',
    ]);
  });

  it('has all that the document’s controller and server name, durations in seconds', () => {
    const story = new Story(2).begin().startTool(0).progress(0, 'writing', 40).succeed(0).startTool(1);
    const messages = told(story.fail(1, false).end().states);
    const of = (action: string, status?: string) =>
      messages.find((message) => message.action === action && (status === undefined || message.status === status));
    const names = { run_id: story.state.run_id, app_id: 'app-1', message_id: 'm1' };
    expect(of('tool_queue_initialized')).toEqual({
      action: 'tool_queue_initialized',
      queue_size: 2,
      estimated_duration: 1.5,
      ...names,
    });
    expect(of('tool_execution_started')).toMatchObject({
      tools: [
        { index: 0, call_id: 'call_0', name: 'tool-0', description: 'Does 0', estimated_duration: 1.5 },
        { index: 1, name: 'tool-1' },
      ],
      ...names,
    });
    expect(of('tool_status_update', 'starting')).toMatchObject({
      tool_name: 'tool-0',
      description: 'Does 0',
      estimated_duration: 1.5,
    });
    expect(of('tool_status_update', 'complete')).toMatchObject({
      success: true,
      outcome: 'succeeded',
      execution_time: 1.234,
      result: { ok: true },
      metrics: { execution_time: 1.234, files_created: 1, lines_written: 3 },
      ...names,
    });
    expect(messages.filter(({ status }) => status === 'complete')[1]).toMatchObject({
      success: false,
      outcome: 'failed',
      error: { code: 'tool_error', message: 'no' },
    });
    expect(of('tool_execution_complete')).toMatchObject({
      total_tools: 2,
      successful: 1,
      total_execution_time: 1.234 + 0.01,
      files_created: 1,
      lines_written: 3,
      ...names,
    });
  });

  it('always has a percentage and words: the last ones measured, else 0 and the stage', () => {
    const story = new Story(1).begin().startTool(0).progress(0, 'reading').progress(0, 'writing', 30, 'Writing');
    const [first, second, third] = told(story.progress(0, 'checking').states).filter(
      ({ action }) => action === 'tool_progress_update',
    );
    expect(first).toMatchObject({ progress: 0, message: 'reading' });
    expect(second).toMatchObject({ progress: 30, message: 'Writing' });
    expect(third).toMatchObject({ progress: 30, message: 'checking', stage: 'checking' });
  });

  it('takes a tool’s own last word as the last progress', () => {
    const story = new Story(1).begin().startTool(0).progress(0, 'complete', 100, 'File a.ts created').succeed(0);
    const done = told(story.states).filter(({ stage }) => stage === 'complete');
    expect(done.map(({ message }) => message)).toEqual(['File a.ts created']);
  });

  it('says what happened to the run as a whole', () => {
    const story = new Story(1).begin().startTool(0);
    story.tell({ type: 'run.paused.v1', writer: 'run', data: {} });
    story.tell({ type: 'run.resumed.v1', writer: 'run', data: {} });
    story.tell({ type: 'run.cancel_requested.v1', writer: 'run', data: { cause: 'command', reason: 'enough' } });
    story.tell({ type: 'tool.cancelled.v1', writer: 0, toolindex: 0, attempt: 1, data: {} }).end();
    expect(told(story.states).slice(3)).toMatchObject([
      { action: 'execution_paused', message: 'Tool execution paused by user' },
      { action: 'execution_resumed', message: 'Tool execution resumed' },
      { action: 'execution_cancelled', message: 'Tool execution cancelled by user', reason: 'enough' },
      { action: 'tool_status_update', status: 'complete', success: false, outcome: 'cancelled' },
      { action: 'tool_execution_complete', status: 'cancelled' },
    ]);
  });
});

describe('A run, in whatever steps', () => {
  it('shows the same in the end, and counts every call once', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { states, state } = randomStory(seed);
      const random = seeded(seed);
      const some = states.filter((_, at) => at === states.length - 1 || random() < 0.2).map(copied);
      const [all, skipping, late] = [told(states), told(some), drawing(state) as Message[]].map(shown);
      const ended = state.tools.filter(({ status }) => isToolEnded(status)).length;
      for (const page of [all!, skipping!, late!]) {
        expect(page.lists, `seed ${seed}`).toBe(1);
        expect(page.summaries, `seed ${seed}`).toHaveLength(1);
        expect(page.completed, `seed ${seed}`).toBe(ended);
        for (const [index, tool] of page.tools.entries()) {
          const { badge, status } = tool;
          expect({ badge, status }, `seed ${seed}`).toMatchObject({
            badge: all!.tools[index]!.badge,
            status: all!.tools[index]!.status,
          });
          // A bar stays where an earlier attempt left it until the next one measures: who came later never saw that.
          if (state.tools[index]!.progress) expect(bar(tool), `seed ${seed}`).toEqual(bar(all!.tools[index]!));
        }
      }
    }
  });

  it('repeats nothing when nothing happened', () => {
    for (let seed = 1; seed <= 50; seed++) {
      for (const state of randomStory(seed).states) expect(difference(state, copied(state))).toEqual([]);
    }
  });

  it('leaves the list alone on a page that has it, and draws the rest', () => {
    const { state } = randomStory(7);
    const actions = drawing(state, { listed: true }).map(({ action }) => action);
    expect(actions).not.toContain('tool_execution_started');
    expect(actions).toContain('tool_execution_complete');
  });
});
