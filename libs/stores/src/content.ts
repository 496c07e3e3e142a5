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

export interface OpenContent extends ContentInfo {
  /** Reads as fast as it is consumed. Throws `ContentMissingError` where what it read is not what was stored. */
  chunks(): AsyncIterable<Uint8Array>;
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
  put(nameOf: (sha256: string) => string, source: Source, options?: PutOptions): Promise<WrittenContent>;
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
