import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutputBuffer, type OutputChunk } from './output.ts';

const flushAll = (buffer: OutputBuffer): OutputChunk[] => {
  const chunks: OutputChunk[] = [];
  for (let chunk = buffer.flush(); chunk; chunk = buffer.flush()) chunks.push(chunk);
  return chunks;
};

describe('an output buffer', () => {
  it('concatenates small writes until the flush time', () => {
    const buffer = new OutputBuffer({ flushMs: 50 });
    buffer.write('stdout', 'a', 0);
    buffer.write('stdout', 'b', 30);
    expect(buffer.take(49)).toBeUndefined();
    expect(buffer.take(50)).toEqual({ channel: 'stdout', text: 'ab', spill: false });
    expect(buffer.dueAt()).toBeUndefined();
  });

  it('gives a full chunk at once', () => {
    const buffer = new OutputBuffer({ flushBytes: 10 });
    buffer.write('stdout', 'x'.repeat(10), 0);
    expect(buffer.take(0)?.text).toHaveLength(10);
  });

  it('keeps the order across channels', () => {
    const buffer = new OutputBuffer();
    buffer.write('stdout', '1', 0);
    buffer.write('stderr', '2', 0);
    buffer.write('stdout', '3', 0);
    expect(flushAll(buffer).map(({ channel, text }) => channel + text)).toEqual(['stdout1', 'stderr2', 'stdout3']);
  });

  it('says when writers should wait', () => {
    const buffer = new OutputBuffer({ highWaterBytes: 8 });
    buffer.write('stdout', 'ééé', 0);
    expect(buffer.isFull).toBe(false);
    buffer.write('stdout', 'é', 0);
    expect(buffer.isFull).toBe(true);
    buffer.flush();
    expect(buffer.isFull).toBe(false);
  });

  it('marks what passes the inline limit', () => {
    const buffer = new OutputBuffer({ inlineBytes: 4 });
    buffer.write('stdout', 'abcd', 0);
    buffer.write('stdout', 'e', 0);
    buffer.write('stdout', 'f', 0);
    expect(flushAll(buffer)).toEqual([
      { channel: 'stdout', text: 'abcd', spill: false },
      { channel: 'stdout', text: 'ef', spill: true },
    ]);
  });

  it('loses and reorders nothing, and no chunk is larger than the limit or splits a character', () => {
    const writes = fc.array(fc.tuple(fc.constantFrom('out', 'err'), fc.string({ unit: 'binary', maxLength: 60 })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(writes, fc.integer({ min: 6, max: 64 }), (script, flushBytes) => {
        const buffer = new OutputBuffer({ flushBytes });
        for (const [channel, text] of script) buffer.write(channel, text, 0);
        expect(buffer.heldBytes).toBe(script.reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0));
        const chunks = flushAll(buffer);
        expect(chunks.map(({ text }) => text).join('')).toBe(script.map(([, text]) => text).join(''));
        for (const name of ['out', 'err']) {
          const of = (list: (readonly [string, string])[]) =>
            list
              .filter(([c]) => c === name)
              .map(([, t]) => t)
              .join('');
          expect(of(chunks.map(({ channel, text }) => [channel, text]))).toBe(of(script));
        }
        for (const { text } of chunks) {
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(flushBytes);
          expect(text.isWellFormed()).toBe(true);
        }
      }),
      { seed: 9, numRuns: 300 },
    );
  });
});
