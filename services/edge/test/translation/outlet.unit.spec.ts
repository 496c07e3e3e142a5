import type { Json } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { Frame } from '../../src/feeds/frame.ts';
import { Refusal } from '../../src/problems.ts';
import { framesOf } from '../../src/translation/frames.ts';
import { TranslatingOutlet } from '../../src/translation/outlet.ts';
import { Deferred, type Piece, type Translator } from '../../src/translation/translator.ts';

/** Says what it is told to, whatever the frame. */
class Script implements Translator {
  over = false;
  pieces: Piece[] = [];

  *step(): Generator<Piece> {
    yield* this.pieces;
  }
  caughtUp(): Iterable<Piece> {
    return [];
  }
  *end(): Generator<Piece> {
    yield* this.pieces;
    this.over = true;
    yield 'END';
  }
  *fail({ code }: { code: string }): Generator<string> {
    this.over = true;
    yield `FAIL ${code}`;
  }
}

function given(resolve: (value: Json) => Promise<Json> = async (value) => value) {
  const script = new Script();
  const queue = {
    congested: false,
    said: '',
    write: ({ sse }: { sse: Buffer }) => {
      queue.said += sse.toString();
    },
  };
  const seen = { rooms: 0, overs: 0, faults: [] as unknown[] };
  const outlet = new TranslatingOutlet({
    translator: script,
    queue,
    resolve,
    onRoom: () => void seen.rooms++,
    onOver: () => void seen.overs++,
    onFault: (error) => void seen.faults.push(error),
  });
  return { script, queue, seen, outlet };
}

const END = Frame.of({ type: 'end', run: 'r', cursor: 'e.0:1', status: 'succeeded' });
const CAUGHT_UP = Frame.of({ type: 'caught_up', run: 'r', cursor: 'e.0:1' });
const settled = () => new Promise((resolve) => setImmediate(resolve));
const lines = (...words: string[]) => words.map((word) => `data: ${word}\n\n`).join('');

describe('A translating outlet', () => {
  it('says in order what waits for a stored value and what does not, and has no room meanwhile', async () => {
    const value = Promise.withResolvers<Json>();
    const { script, queue, seen, outlet } = given(() => value.promise);
    script.pieces = [{ first: 1 }, new Deferred('ref', (got) => ({ got })), 'third'];
    outlet.write(END);
    expect([queue.said, outlet.congested, seen.overs]).toEqual([lines('{"first":1}'), true, 0]);
    value.resolve('large');
    await settled();
    expect(queue.said).toBe(lines('{"first":1}', '{"got":"large"}', 'third', 'END'));
    expect([outlet.congested, seen.overs, seen.rooms]).toEqual([false, 1, 0]);
  });

  it('stops while the client’s queue is full, and goes on when it has drained', () => {
    const { script, queue, seen, outlet } = given();
    queue.congested = true;
    script.pieces = ['one', 'two'];
    outlet.write(END);
    expect([queue.said, outlet.congested, seen.overs]).toEqual(['', true, 0]);
    queue.congested = false;
    outlet.drained();
    expect([queue.said, outlet.congested, seen.overs]).toEqual([lines('one', 'two', 'END'), false, 1]);
  });

  it('offers its room once everything is said', async () => {
    const { script, seen, outlet } = given();
    outlet.drained();
    expect(seen.rooms).toBe(1);
    script.pieces = [new Deferred(1, (value) => ({ value }))];
    outlet.write(CAUGHT_UP);
    outlet.write(Frame.of({ type: 'snapshot', run: 'r', cursor: 'e.0:1', reason: 'cold', state: { seq: 1 } as never }));
    expect(outlet.congested).toBe(true);
    await settled();
    expect([outlet.congested, seen.rooms]).toEqual([false, 2]);
  });

  it('ends with a failure, and nothing after it, where a value cannot be had', async () => {
    const { script, queue, seen, outlet } = given(async () => {
      throw new Refusal('unavailable');
    });
    script.pieces = [new Deferred(1, () => 'never'), 'nor this'];
    outlet.write(END);
    await settled();
    expect([queue.said, seen.overs, seen.faults]).toEqual([lines('FAIL unavailable'), 1, []]);
    outlet.write(END);
    expect(queue.said).toBe(lines('FAIL unavailable'));
  });

  it('reports a fault of ours', async () => {
    const { script, queue, seen, outlet } = given();
    script.pieces = [
      new Deferred(1, () => {
        throw new TypeError('a fault');
      }),
    ];
    outlet.write(END);
    await settled();
    expect([queue.said, seen.overs]).toEqual([lines('FAIL internal'), 1]);
    expect(seen.faults).toEqual([new TypeError('a fault')]);
  });

  it('has last words in place of what waits, and says nothing after them', async () => {
    const { script, queue, seen, outlet } = given();
    script.pieces = [new Deferred(1, () => 'late')];
    outlet.write(END);
    expect(outlet.farewell({ code: 'unavailable', message: '' }).toString()).toBe(lines('FAIL unavailable'));
    await settled();
    expect([queue.said, seen.overs, seen.rooms]).toEqual(['', 0, 0]);
  });
});

describe('The frames of a chunk', () => {
  it('are decoded once for all clients that get the same bytes', () => {
    expect(framesOf(END)).toBe(framesOf(END));
    const ws = Buffer.concat([CAUGHT_UP.ws, END.ws]);
    expect(framesOf({ ws, sse: ws }).map(({ type }) => type)).toEqual(['caught_up', 'end']);
  });
});
