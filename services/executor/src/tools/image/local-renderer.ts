import { createHash } from 'node:crypto';
import { encode } from 'fast-png';

type Colour = readonly [red: number, green: number, blue: number];

const WORDS: { readonly [word: string]: Colour } = {
  red: [214, 48, 49],
  orange: [240, 140, 60],
  sunset: [250, 120, 80],
  yellow: [253, 203, 80],
  gold: [212, 175, 55],
  green: [60, 170, 90],
  forest: [34, 100, 60],
  blue: [50, 110, 220],
  sky: [120, 190, 240],
  sea: [20, 90, 140],
  ocean: [20, 90, 140],
  purple: [120, 70, 190],
  pink: [240, 130, 180],
  brown: [120, 80, 50],
  black: [20, 20, 24],
  night: [18, 22, 50],
  white: [245, 245, 245],
  snow: [240, 246, 250],
  grey: [130, 135, 140],
  gray: [130, 135, 140],
};
const BLOBS = 9;
const ROWS_AT_ONCE = 32;

/**
 * Draws an abstract picture that a prompt determines: colours that it names, or else ones of its hash, as soft lights on a
 * gradient. No model, no network, and nothing like what the prompt describes: it is there so that the way of an image can be
 * seen without an account. Yields the rows that are drawn, returns the PNG.
 */
export function* drawLocally(prompt: string, width: number, height: number): Generator<number, Uint8Array> {
  const random = randomOf(prompt);
  const named = prompt
    .toLowerCase()
    .match(/[a-z]+/g)
    ?.flatMap((word) => (Object.hasOwn(WORDS, word) ? [WORDS[word]] : []));
  const palette = (named ?? []).filter((colour) => colour !== undefined);
  while (palette.length < 3) palette.push([random() * 255, random() * 255, random() * 255]);
  const pick = (i: number): Colour => palette[i % palette.length] as Colour;
  const blobs = Array.from({ length: BLOBS }, (_, i) => ({
    x: random() * width,
    y: random() * height,
    inverse: 1 / ((0.1 + random() * 0.25) * Math.max(width, height)) ** 2,
    colour: pick(i + 2),
  }));
  const [top, bottom] = [pick(0), pick(1)];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const down = y / height;
    for (let x = 0; x < width; x++) {
      let red = top[0] + (bottom[0] - top[0]) * down;
      let green = top[1] + (bottom[1] - top[1]) * down;
      let blue = top[2] + (bottom[2] - top[2]) * down;
      for (const blob of blobs) {
        const near = ((x - blob.x) ** 2 + (y - blob.y) ** 2) * blob.inverse;
        if (near >= 1) continue;
        const light = (1 - near) ** 2 * 0.7;
        red += (blob.colour[0] - red) * light;
        green += (blob.colour[1] - green) * light;
        blue += (blob.colour[2] - blue) * light;
      }
      const at = (y * width + x) * 3;
      data[at] = red;
      data[at + 1] = green;
      data[at + 2] = blue;
    }
    if ((y + 1) % ROWS_AT_ONCE === 0 || y + 1 === height) yield y + 1;
  }
  return encode({ width, height, data, channels: 3 });
}

/** Numbers that the prompt alone determines (mulberry32). */
function randomOf(prompt: string): () => number {
  let state = createHash('sha256').update(prompt).digest().readUInt32LE();
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
