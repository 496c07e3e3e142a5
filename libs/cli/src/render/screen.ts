import { repaint } from './repaint.ts';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const FRAME_MS = 1000 / 15;
/** How often a picture that nothing changes is drawn again: elapsed times go on. */
const TICK_MS = 250;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A part of the terminal that is painted over and over, at most 15 times a second. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  readonly #draw: (size: Size) => string[];
  readonly #restoreCursor = () => this.#stream.write(SHOW_CURSOR);
  readonly #resized = () => this.#repaintAll();
  #lines: string[] = [];
  #paintedAt = Number.NEGATIVE_INFINITY;
  #soon: NodeJS.Timeout | undefined;
  #tick: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WriteStream, draw: (size: Size) => string[]) {
    this.#stream = stream;
    this.#draw = draw;
  }

  start(): void {
    this.#stream.write(HIDE_CURSOR);
    // Whatever ends the process, the terminal gets its cursor back.
    process.on('exit', this.#restoreCursor);
    this.#stream.on('resize', this.#resized);
    this.#tick = setInterval(() => this.invalidate(), TICK_MS);
    this.invalidate();
  }

  /** Something changed: it is painted within a frame's time. */
  invalidate(): void {
    if (this.#soon) return;
    const wait = Math.max(0, this.#paintedAt + FRAME_MS - performance.now());
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      this.#paint(this.#draw(this.#size()));
    }, wait);
  }

  /** Writes lines that stay, above what is painted. */
  above(text: string): void {
    const lines = this.#lines;
    this.#paint([]);
    this.#stream.write(`${text}\n`);
    this.#paint(lines);
  }

  /** Paints once more, whole, and leaves it there. */
  stop(): void {
    clearTimeout(this.#soon);
    clearInterval(this.#tick);
    this.#stream.off('resize', this.#resized);
    process.off('exit', this.#restoreCursor);
    this.#paint(this.#draw({ ...this.#size(), height: Number.POSITIVE_INFINITY }));
    this.#stream.write(SHOW_CURSOR);
  }

  #paint(lines: string[], resizedTo?: number): void {
    const out = repaint(this.#lines, lines, resizedTo);
    if (out !== '') this.#stream.write(out);
    this.#lines = lines;
    this.#paintedAt = performance.now();
  }

  #repaintAll(): void {
    const size = this.#size();
    this.#paint(this.#draw(size), size.width);
  }

  /** One row stays free for the cursor, which stands below the last line. */
  #size(): Size {
    return { width: this.#stream.columns || 80, height: Math.max(2, (this.#stream.rows || 24) - 1) };
  }
}
