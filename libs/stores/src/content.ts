import { ContentTooLargeError } from './errors.ts';

export type Source = Uint8Array | AsyncIterable<Uint8Array>;

export interface ContentInfo {
  readonly name: string;
  readonly size: number;
  /** Of the whole content, hexadecimal. */
  readonly sha256: string;
}

export interface WrittenContent extends ContentInfo {
  /** Lines of text; absent where the content holds a NUL byte, which text does not. */
  readonly lines?: number;
}

/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface OpenContent extends ContentInfo {
  /**
   * Reads as fast as it is consumed. Throws `ContentMissingError` where what it read is not what was stored; of a range only the
   * length can be checked.
   */
  chunks(range?: ByteRange): AsyncIterable<Uint8Array>;
}

/** `<tenant>.<…>`, and the last part, which may depend on what was stored. Characters of a token, no dots in the last part. */
export interface ContentName {
  readonly scope: string;
  last(sha256: string): string;
}

export interface PutOptions {
  /** Called after each piece that the store has acknowledged; a `total` only where it is known beforehand. */
  readonly onBytes?: ((written: number, total: number | undefined) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Where bytes live. Contents are immutable: a name stands for one content for ever, so putting it again changes nothing, and
 * a reader never sees a half-written one.
 */
export interface ContentStore {
  put(name: ContentName, source: Source, options?: PutOptions): Promise<WrittenContent>;
  open(name: string): Promise<OpenContent | undefined>;
  /** Deletes in the background, best effort: what stays behind costs space and nothing else. */
  discard(name: string): void;
  /** Resolves when the deletions under way have ended. */
  idle(): Promise<void>;
}

/** The content in pieces of `size` bytes, the last one smaller. Holds one piece at a time. */
export async function* pieces(source: Source, size: number): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += size) yield source.subarray(at, at + size);
    return;
  }
  let parts: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of source) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('Content is made of bytes; encode text before writing it.');
    let rest = chunk;
    while (held + rest.length >= size) {
      const taken = rest.subarray(0, size - held);
      yield parts.length === 0 ? taken : Buffer.concat([...parts, taken]);
      rest = rest.subarray(taken.length);
      parts = [];
      held = 0;
    }
    if (rest.length > 0) {
      parts.push(rest);
      held += rest.length;
    }
  }
  if (held > 0) yield Buffer.concat(parts);
}

export class LineCounter {
  #newlines = 0;
  #last = 10;
  #text = true;

  add(piece: Uint8Array): void {
    if (!this.#text || piece.length === 0) return;
    if (piece.includes(0)) {
      this.#text = false;
      return;
    }
    for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, at + 1)) this.#newlines++;
    this.#last = piece[piece.length - 1] ?? 10;
  }

  lines(): number | undefined {
    return this.#text ? this.#newlines + (this.#last === 10 ? 0 : 1) : undefined;
  }
}

export async function readAll(content: OpenContent, maxBytes: number): Promise<Uint8Array> {
  if (content.size > maxBytes) throw new ContentTooLargeError(content.name, content.size, maxBytes);
  const all = new Uint8Array(content.size);
  let at = 0;
  for await (const chunk of content.chunks()) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** The part of a chunk, whose first byte stands at `at`, that lies within the range; empty where none does. */
export function within(chunk: Uint8Array, at: number, { start, end }: ByteRange): Uint8Array {
  return chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
}

export const clamped = ({ start, end }: ByteRange, size: number): ByteRange => {
  const first = Math.max(0, Math.min(start, size));
  return { start: first, end: Math.max(first, Math.min(end, size)) };
};
