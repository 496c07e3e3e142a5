import { describe, expect, it } from 'vitest';
import { figuresOf, frameMsOf } from '../src/browser/figures.ts';
import type { Seen } from '../src/browser/probe.ts';

const FRAME = 1000 / 60;
const seen = (more: Partial<Seen>): Seen => ({ paints: [], sincePublished: [], arrived: 0, frames: [], ...more });

describe('what a page saw', () => {
  it('takes most frames for what a frame takes', () => {
    expect(frameMsOf(seen({ frames: [16.6, 16.7, 16.7, 33.4, 16.7, 250] }))).toBe(16.7);
  });

  it('counts the frames that are missing between two', () => {
    const { dropped } = figuresOf(seen({ frames: [FRAME, 2 * FRAME, FRAME, 5 * FRAME] }), FRAME);
    expect(dropped).toBeCloseTo(5 / 9);
  });

  it('takes no frame for missing that was a little late', () => {
    expect(figuresOf(seen({ frames: Array(100).fill(FRAME * 1.3) }), FRAME).dropped).toBe(0);
  });

  it('judges by the events that were in view, and counts those that arrived', () => {
    const paints = Array.from({ length: 101 }, (_, ms) => ms);
    const figures = figuresOf(
      seen({ paints, sincePublished: [7], arrived: 500, frames: Array(60).fill(FRAME) }),
      FRAME,
    );
    expect(figures).toMatchObject({ p50: 50, p95: 95, published: 7, judged: 101 });
    expect(figures.rate).toBeCloseTo(500);
  });
});
