import type { EventFrame, Position } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { offsetOf, readOffset } from '../../src/cable/offsets.ts';
import { standingAt, standingOf } from '../../src/cable/standing.ts';
import { targetOf } from '../../src/cable/target.ts';
import { ExtVoice, v1Voice } from '../../src/cable/voice.ts';
import { readAction, readCommand } from '../../src/cable/wire.ts';
import { ofEvent, ofState } from '../../src/cable/words.ts';
import { payloads } from '../../src/feeds/frame.ts';
import { RUN, randomStory, type Story } from './histories.ts';

const at = (seq: number): Position => ({ epoch: 'e1', partition: 0, seq });
const read = (bytes: Buffer | undefined) =>
  bytes ? Array.from(payloads(bytes), (payload) => JSON.parse(payload.toString()) as Record<string, unknown>) : [];
const frames = ({ events }: Story): EventFrame[] =>
  events.map((event, index) => ({
    type: 'event',
    run: RUN,
    cursor: `e1.0:${index + 1}`,
    prev: `e1.0:${index}`,
    event: event as unknown as EventFrame['event'],
  }));

describe('An offset', () => {
  it('grows over events and the messages of each, and starts above 0', () => {
    let last = 0;
    for (let seq = 0; seq < 50; seq++) {
      for (const part of seq === 0 ? (['drawing'] as const) : (['drawing', 'event'] as const)) {
        const count = part === 'drawing' ? 775 : 3;
        for (let place = 0; place < count; place++) {
          const offset = offsetOf(part, seq, place, count);
          expect(offset).toBeGreaterThan(last);
          last = offset;
          expect(readOffset(offset)).toEqual({ seq, part: place === count - 1 ? undefined : part });
        }
      }
    }
  });

  it('is exact far beyond what a log will hold', () => {
    const seq = 4_000_000_000_000;
    expect(readOffset(offsetOf('event', seq, 0, 2))).toEqual({ seq, part: 'event' });
  });

  it('is refused when it is none', () => {
    for (const offset of [0, -1, 1.5, Number.NaN, 2 ** 60]) expect(readOffset(offset)).toBeUndefined();
  });
});

describe('An ext-json client', () => {
  const voice = () => new ExtVoice('I', () => 'run_x');

  it('that was cut off anywhere is told exactly the rest', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const story = randomStory(seed);
      const all = frames(story).flatMap((frame, index) => {
        return read(voice().say(ofEvent(frame, story.states[index - 1], at(index + 1)).words));
      });
      const offsets = all.map(({ offset }) => offset as number);
      expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
      for (let had = 1; had < all.length; had++) {
        const record = { offset: offsets[had - 1]!, epoch: 'e1' };
        const place = { epoch: () => 'e1', partitions: [0], stream: () => 'run_x' };
        const { standing, lost } = standingOf({ streams: { run_x: record } }, place);
        expect(lost).toBe(false);
        const from = Number(standing.cursor!.split(':')[1]);
        const mine = voice();
        for (const { partition, epoch, offset } of standing.heard!) mine.heard(partition, epoch, offset);
        const rest = frames(story)
          .slice(from)
          .flatMap((frame, index) => {
            const seq = from + index + 1;
            return read(mine.say(ofEvent(frame, story.states[seq - 2], at(seq)).words));
          });
        expect(rest, `seed ${seed}, had ${had}`).toEqual(all.slice(had));
      }
    }
  });

  it('that was cut off in its first drawing is told the rest of that', () => {
    const { state } = randomStory(3);
    const words = ofState(state, undefined, { at: at(state.seq), listed: false });
    const all = read(voice().say(words));
    for (let had = 1; had < all.length; had++) {
      const offset = all[had - 1]!.offset as number;
      const place = { epoch: () => 'e1', partitions: [0], stream: () => 'run_x' };
      const { standing } = standingOf({ streams: { run_x: { offset, epoch: 'e1' } } }, place);
      expect(standing.redraw).toEqual(at(state.seq));
      const mine = voice();
      mine.heard(0, 'e1', offset);
      expect(read(mine.say(words))).toEqual(all.slice(had));
    }
  });

  it('of a log that is gone, or of its future, has lost its place; one that has seen nothing has none', () => {
    const place = { epoch: () => 'e2', partitions: [0], stream: () => 's' };
    const of = (offset: number, epoch: string) => standingOf({ streams: { s: { offset, epoch } } }, place);
    expect(of(4095, 'e1')).toEqual({ standing: {}, lost: true });
    expect(of(-5, 'e2')).toEqual({ standing: {}, lost: true });
    expect(standingOf('malformed', place)).toEqual({ standing: {}, lost: true });
    expect(standingOf({ streams: { other: { offset: 1, epoch: 'x' } } }, place)).toEqual({ standing: {}, lost: false });
  });

  it('must have every stream of an app', () => {
    const place = { epoch: () => 'e1', partitions: [0, 1], stream: (p: number) => `s${p}` };
    const first = { offset: offsetOf('event', 7, 0, 1), epoch: 'e1' };
    expect(standingOf({ streams: { s0: first } }, place).lost).toBe(true);
    const second = { offset: offsetOf('drawing', 9, 0, 1), epoch: 'e1' };
    expect(standingOf({ streams: { s0: first, s1: second } }, place).standing.cursor).toBe('e1.0:7,e1.1:9');
  });
});

describe('A page', () => {
  it('goes on from where it stands, and keeps its list when the log is another', () => {
    expect(standingAt('e1.0:7', { epoch: () => 'e1' })).toEqual({ cursor: 'e1.0:7', listed: true });
    expect(standingAt('e1.0:7', { epoch: () => 'e2' })).toEqual({ listed: true });
  });

  it('is sent what another one with the same identifier is sent: the same bytes', () => {
    const story = randomStory(5);
    const [frame] = frames(story);
    const once = v1Voice('{"channel":"x"}').say(ofEvent(frame!, undefined, at(1)).words);
    expect(v1Voice('{"channel":"x"}').say(ofEvent(frame!, undefined, at(1)).words)).toBe(once);
    expect(read(once)[0]).toMatchObject({ identifier: '{"channel":"x"}' });
  });
});

describe('What a client sends', () => {
  it('names a run, a message or an app, by string or integer', () => {
    const of = (params: object) => targetOf(JSON.stringify({ channel: 'ToolExecutionChannel', ...params }));
    expect(of({ run_id: RUN })).toEqual({ kind: 'run', run: RUN });
    expect(of({ message_id: 42 })).toEqual({ kind: 'message', message: '42' });
    expect(of({ message_id: 'm-1', extra: true })).toEqual({ kind: 'message', message: 'm-1' });
    expect(of({ app_id: 'app_1' })).toEqual({ kind: 'app', app: 'app_1' });
    for (const params of [
      {},
      { run_id: 7 },
      { message_id: 1.5 },
      { message_id: -1 },
      { app_id: 'a.b' },
      { app_id: null },
    ])
      expect(of(params)).toBeUndefined();
  });

  it('names this channel', () => {
    for (const text of ['{"channel":"Other","run_id":"x"}', 'null', '[]', '{', '7', 'x'.repeat(3000)])
      expect(targetOf(text)).toBeUndefined();
  });

  it('is a command, or nothing', () => {
    expect(readCommand('{"command":"subscribe","identifier":"I","history":{"since":1}}')).toMatchObject({
      command: 'subscribe',
      history: { streams: {} },
    });
    expect(readCommand('{"command":"subscribe","identifier":"I"}')?.history).toBeUndefined();
    expect(readCommand('{"command":"history","identifier":"I","history":{"streams":{"s":7}}}')?.history).toBe(
      'malformed',
    );
    for (const text of ['', 'null', '{}', '{"command":1}', '['.repeat(300)]) expect(readCommand(text)).toBeUndefined();
    expect(readAction('{"action":"go","tool_index":1}')).toEqual({ action: 'go', params: { tool_index: 1 } });
    for (const data of [undefined, {}, '[]', '{}', '{"action":1}']) expect(readAction(data)).toBeUndefined();
  });
});
