export interface OutputChunk {
  readonly channel: string;
  readonly text: string;
  /** The attempt's inline output is used up: this belongs into the channel's artifact. */
  readonly spill: boolean;
}

export interface OutputLimits {
  /** A chunk is at most this large, and goes at once when it is. */
  readonly flushBytes: number;
  /** Smaller chunks wait this long for more. */
  readonly flushMs: number;
  /** Writers wait while more than this is held. */
  readonly highWaterBytes: number;
  /** Inline output of one attempt; the rest continues in an artifact. */
  readonly inlineBytes: number;
}

export const OUTPUT_LIMITS: OutputLimits = {
  flushBytes: 32 * 1024,
  flushMs: 50,
  highWaterBytes: 128 * 1024,
  inlineBytes: 10 * 1024 * 1024,
};

interface Piece {
  readonly channel: string;
  readonly since: number;
  readonly spill: boolean;
  text: string;
  bytes: number;
}

/**
 * Concatenates a tool's output into chunks worth an event each. Order is kept across channels. It refuses nothing: a
 * writer looks at {@link isFull} and waits, so what it holds is bounded by one write beyond the high-water mark.
 */
export class OutputBuffer {
  readonly #limits: OutputLimits;
  readonly #pieces: Piece[] = [];
  #held = 0;
  #written = 0;

  constructor(limits: Partial<OutputLimits> = {}) {
    this.#limits = { ...OUTPUT_LIMITS, ...limits };
  }

  get heldBytes(): number {
    return this.#held;
  }

  get isFull(): boolean {
    return this.#held >= this.#limits.highWaterBytes;
  }

  /** True from the write on that passed the inline limit. */
  get isSpilling(): boolean {
    return this.#written > this.#limits.inlineBytes;
  }

  write(channel: string, text: string, now: number): void {
    for (const part of partsOf(text, this.#limits.flushBytes))
      this.#append(channel, part, Buffer.byteLength(part), now);
  }

  /** When {@link take} will next give something; `undefined` when nothing is held. */
  dueAt(): number | undefined {
    const first = this.#pieces[0];
    if (!first) return undefined;
    return this.#pieces.length > 1 || first.bytes >= this.#limits.flushBytes
      ? first.since
      : first.since + this.#limits.flushMs;
  }

  take(now: number): OutputChunk | undefined {
    const due = this.dueAt();
    return due !== undefined && due <= now ? this.flush() : undefined;
  }

  /** The next chunk, due or not. */
  flush(): OutputChunk | undefined {
    const piece = this.#pieces.shift();
    if (!piece) return undefined;
    this.#held -= piece.bytes;
    return { channel: piece.channel, text: piece.text, spill: piece.spill };
  }

  #append(channel: string, text: string, bytes: number, now: number): void {
    this.#written += bytes;
    this.#held += bytes;
    const spill = this.isSpilling;
    const last = this.#pieces.at(-1);
    const fits = last?.channel === channel && last.spill === spill && last.bytes + bytes <= this.#limits.flushBytes;
    if (fits && last) {
      last.text += text;
      last.bytes += bytes;
    } else {
      this.#pieces.push({ channel, text, bytes, spill, since: now });
    }
  }
}

/** Text that every reader takes: no NUL, which databases refuse, and no half characters. */
export function cleanText(text: string): string {
  const whole = String(text).toWellFormed();
  return whole.includes('\0') ? whole.replaceAll('\0', '\uFFFD') : whole;
}

/** Splits at code points, each part at most `limit` bytes of UTF-8. */
function* partsOf(text: string, limit: number): Generator<string> {
  if (text.length === 0) return;
  if (text.length * 3 <= limit || Buffer.byteLength(text) <= limit) {
    yield text;
    return;
  }
  // No UTF-16 unit takes more than three bytes, so this many units always fit.
  const units = Math.max(2, Math.floor(limit / 3));
  for (let start = 0; start < text.length; ) {
    let end = Math.min(text.length, start + units);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end -= 1;
    yield text.slice(start, end);
    start = end;
  }
}
