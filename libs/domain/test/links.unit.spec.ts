import { describe, expect, it } from 'vitest';
import { type Effect, effectId, fold, isOutstanding, outstanding, react } from '../src/index.ts';
import { event, plan, RUN } from './given.ts';

const accepted = (message_id?: string) =>
  event('run.accepted.v1', plan(message_id === undefined ? {} : { message_id }));
const links = (effects: readonly Effect[]) => effects.filter(({ type }) => type === 'link');

describe('The link from a message to its run', () => {
  const first = accepted('m1');
  const state = fold([{ event: first, seq: 1 }])!;

  it('is an effect of the acceptance, the same whenever it is asked for', () => {
    const [link] = links(react(state, first));
    expect(link).toEqual({
      type: 'link',
      tenant: first.tenant,
      message: 'm1',
      link: { run: RUN, app: first.app, accepted_at: first.time },
    });
    const later = fold([
      { event: first, seq: 1 },
      { event: event('run.started.v1', {}), seq: 2 },
    ])!;
    expect(links(react(later, first))).toEqual([link]);
    expect(effectId(link!)).toBe(`${RUN}_link`);
  });

  it('is none of a run without a message, nor of any other event', () => {
    const without = accepted();
    expect(links(react(fold([{ event: without, seq: 1 }])!, without))).toEqual([]);
    expect(links(react(state, event('run.started.v1', {})))).toEqual([]);
  });

  it('is due also after the run’s end: whoever watches the message is to see it', () => {
    const ended = { ...state, status: 'succeeded' as const };
    const effects = react(ended, first);
    expect(effects).toHaveLength(1);
    expect(isOutstanding(ended, effects[0]!)).toBe(true);
  });

  it('is nothing that a sweep repeats', () => {
    expect(links(outstanding(state))).toEqual([]);
  });
});
