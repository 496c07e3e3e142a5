import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineCounter, pieces } from '../src/content.ts';

const collect = async (source: AsyncIterable<Uint8Array>) => {
  const all: Uint8Array[] = [];
  for await (const piece of source) all.push(piece);
  return all;
};
async function* chunks(parts: readonly Uint8Array[]) {
  yield* parts;
}

it('pieces have the asked size but the last, and together are the content, however it arrives', async () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(parts, fc.integer({ min: 1, max: 9 }), async (given, size) => {
      const whole = Buffer.concat(given);
      const streamed = await collect(pieces(chunks(given), size));
      const sliced = await collect(pieces(whole, size));
      expect(Buffer.concat(streamed)).toEqual(whole);
      expect(streamed.map((piece) => piece.length)).toEqual(sliced.map((piece) => piece.length));
      for (const piece of streamed.slice(0, -1)) expect(piece.length).toBe(size);
      expect(streamed.every((piece) => piece.length > 0)).toBe(true);
    }),
    { seed: 11, numRuns: 300 },
  );
});

it('text that is no bytes is refused instead of being guessed at', async () => {
  const strings = chunks(['x' as unknown as Uint8Array]);
  await expect(collect(pieces(strings, 4))).rejects.toThrow('encode text');
});

it.each([
  ['', 0],
  ['\n', 1],
  ['a', 1],
  ['a\n', 1],
  ['a\nb', 2],
  ['a\r\nb\r\n', 2],
  ['a\0b\n', undefined],
])('%j has %s lines, in one piece or byte by byte', (text, lines) => {
  const bytes = Buffer.from(text);
  const whole = new LineCounter();
  whole.add(bytes);
  const single = new LineCounter();
  for (const byte of bytes) single.add(Uint8Array.of(byte));
  expect([whole.lines(), single.lines()]).toEqual([lines, lines]);
});
