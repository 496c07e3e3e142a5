import type { Writable } from 'node:stream';
import { serverFrames } from '@toolstream/proto-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { Batch, Entry } from '../src/feeds/entry.ts';
import { eventFrame, eventHead, Frame, payloads, storedBytes } from '../src/feeds/frame.ts';

/** `ws` exports its parser, its types do not know. */
const { Receiver } = ws as unknown as {
  Receiver: new (options: object) => Writable;
};
const head = eventHead({ run: 'r', cursor: 'e.0:2', prev: 'e.0:1' });

/** Reads frames as any client of the `ws` package would. */
function received(...chunks: Buffer[]): string[] {
  const messages: string[] = [];
  const receiver = new Receiver({ isServer: false, allowSynchronousEvents: true, maxPayload: 0 });
  receiver.on('message', (data: Buffer) => messages.push(data.toString()));
  receiver.on('error', (error: Error) => {
    throw error;
  });
  for (const chunk of chunks) receiver.write(chunk);
  return messages;
}

describe('a frame', () => {
  it('is a complete WebSocket message, whatever its length', () => {
    for (const size of [0, 1, 100, 125, 126, 127, 65_535, 65_536, 70_000, 300_000]) {
      const text = JSON.stringify({ data: 'x'.repeat(size) });
      const frame = eventFrame(head, Buffer.from(text), 'e.0:2');
      expect(received(frame.ws)).toEqual([`${head}${text}}`]);
      expect(frame.payload.toString()).toBe(`${head}${text}}`);
    }
  });

  it('keeps the stored bytes, also those outside of ASCII', () => {
    const stored = Buffer.from(JSON.stringify({ text: 'Grüße, 世界 🎈' }));
    const frame = eventFrame(head, stored, 'e.0:2');
    expect(storedBytes(frame, head).equals(stored)).toBe(true);
    expect(JSON.parse(frame.payload.toString()).event).toEqual({ text: 'Grüße, 世界 🎈' });
  });

  it('has the form of the contract', () => {
    const event = { type: 'run.started.v1' };
    for (const names of [{ run: 'r' }, { run: 'r', app: 'a' }]) {
      const own = eventHead({ ...names, cursor: 'e.0:2', prev: 'e.0:1' });
      const frame = eventFrame(own, Buffer.from(JSON.stringify(event)), 'e.0:2');
      const value = JSON.parse(frame.payload.toString());
      expect(serverFrames.event.parse(value)).toEqual({
        type: 'event',
        ...names,
        cursor: 'e.0:2',
        prev: 'e.0:1',
        event,
      });
      expect(Object.keys(value).at(-1)).toBe('event');
    }
  });

  it('has its cursor as SSE id, unless it is an answer to a command', () => {
    const caughtUp = Frame.of({ type: 'caught_up', run: 'r', cursor: 'e.0:5' });
    expect(caughtUp.sse.toString()).toBe('id: e.0:5\ndata: {"type":"caught_up","run":"r","cursor":"e.0:5"}\n\n');
    expect(Frame.of({ type: 'ack', id: 'c', cursor: 'e.0:5' }).sse.toString()).not.toContain('id: e');
  });

  it('stays one SSE message when another encoder put line breaks into the event', () => {
    const frame = eventFrame(head, Buffer.from('{\n  "a": "b\\nc"\r\n}'), 'e.0:2');
    const lines = frame.sse.toString().split('\n');
    expect(lines).toHaveLength(4);
    expect(JSON.parse(lines[1]!.slice('data: '.length)).event).toEqual({ a: 'b\nc' });
  });
});

describe('several frames', () => {
  it('in one chunk are read as several messages, however the chunk is cut', () => {
    const text = fc.string({ maxLength: 400 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), fc.nat(), (texts, cut) => {
        const frames = texts.map((data) => eventFrame(head, Buffer.from(JSON.stringify({ data })), 'c'));
        const chunk = Buffer.concat(frames.map((frame) => frame.ws));
        const at = cut % chunk.length;
        const expected = frames.map((frame) => frame.payload.toString());
        expect(received(chunk.subarray(0, at), chunk.subarray(at))).toEqual(expected);
        expect([...payloads(chunk)].map(String)).toEqual(expected);
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  it('of a batch are made once, in both forms, with the end of a run behind its event', () => {
    const place = { slot: 0, prev: 'e.0:1', cursor: 'e.0:2', positions: [2], app: 'a' };
    const entry = new Entry(place, { seq: 2, type: 'run.succeeded.v1', run: 'r', data: Buffer.from('{}') });
    const batch = new Batch([entry]);
    expect(batch.ws).toBe(batch.ws);
    const [event, end] = received(batch.ws).map((message) => JSON.parse(message));
    expect(event).toMatchObject({ type: 'event', app: 'a', run: 'r' });
    expect(end).toEqual({ type: 'end', run: 'r', app: 'a', cursor: 'e.0:2', status: 'succeeded' });
    expect(batch.sse.toString().match(/^data: /gm)).toHaveLength(2);
  });

  it('made for one client differ from the common one in prev and cursor only', () => {
    const place = { slot: 0, prev: 'e.0:1', cursor: 'e.0:2', positions: [2], app: undefined };
    const entry = new Entry(place, { seq: 2, type: 'run.started.v1', run: 'r', data: Buffer.from('{"a":1}') });
    const own = JSON.parse(entry.frameAfter('e.0:0', 'e.0:2').payload.toString());
    expect(own).toEqual({ ...JSON.parse(entry.frame.payload.toString()), prev: 'e.0:0' });
    expect(entry.event()).toEqual({ a: 1 });
  });
});
