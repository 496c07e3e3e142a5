import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Screen } from '../../src/render/screen.ts';
import { Terminal } from './terminal.ts';

const CURSOR = ['\u001b[?25l', '\u001b[?25h'];

class Stream extends EventEmitter {
  columns = 80;
  rows = 10;
  readonly terminal = new Terminal();
  readonly writes: string[] = [];
  cursorHidden = false;

  write(text: string): boolean {
    if (CURSOR.includes(text)) this.cursorHidden = text === CURSOR[0];
    else {
      this.writes.push(text);
      this.terminal.write(text);
    }
    return true;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function screenOf(draw: () => string[]) {
  const stream = new Stream();
  return { stream, screen: new Screen(stream as never, draw) };
}

describe('a screen', () => {
  it('paints at most fifteen times a second, however often it is told', () => {
    let picture = 0;
    const { stream, screen } = screenOf(() => [`picture ${picture}`]);
    screen.start();
    for (let ms = 0; ms < 1_000; ms++) {
      picture += 1;
      screen.invalidate();
      vi.advanceTimersByTime(1);
    }
    expect(stream.writes.length).toBeGreaterThan(10);
    expect(stream.writes.length).toBeLessThanOrEqual(16);
    screen.stop();
  });

  it('lets lines through above the picture', () => {
    const { stream, screen } = screenOf(() => ['one', 'two']);
    screen.start();
    vi.advanceTimersByTime(10);
    screen.above('edge-1 runs again');
    expect(stream.terminal.rows).toEqual(['edge-1 runs again', 'one', 'two', '']);
    screen.stop();
  });

  it('leaves the whole picture, the cursor and no timer', () => {
    const heights: number[] = [];
    const stream = new Stream();
    const screen = new Screen(stream as never, ({ height }) => {
      heights.push(height);
      return ['a picture'];
    });
    const listeners = process.listenerCount('exit');
    screen.start();
    expect(stream.cursorHidden).toBe(true);
    vi.advanceTimersByTime(10);
    screen.stop();
    expect(stream.cursorHidden).toBe(false);
    expect(heights).toEqual([9, Number.POSITIVE_INFINITY]);
    expect(vi.getTimerCount()).toBe(0);
    expect(stream.listenerCount('resize')).toBe(0);
    expect(process.listenerCount('exit')).toBe(listeners);
  });
});
