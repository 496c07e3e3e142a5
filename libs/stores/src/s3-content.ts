import { createHash, randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Background } from './background.ts';
import {
  type ByteRange,
  type ContentName,
  type ContentStore,
  clamped,
  LineCounter,
  type OpenContent,
  type PutOptions,
  pieces,
  type Source,
  type WrittenContent,
} from './content.ts';
import { ContentMissingError, StoreUnavailableError } from './errors.ts';
import type { S3Objects } from './s3-objects.ts';

/** The smallest part that S3 takes; all but the last have this size, as R2 demands. */
export const PART_BYTES = 5 * 1024 * 1024;
/** So much that S3 allows: 48 GiB with these parts. */
const MAX_PARTS = 10_000;
/** Parts of one upload on their way: two parts and the one being filled are what an upload holds in memory. */
const IN_FLIGHT = 2;
/** Connections in a row that break without one more byte before a read gives up. */
const MAX_STALLS = 5;
const NAME = /^[\w-]+(\.[\w-]+)+$/;

/**
 * Contents in a bucket of S3, one object each, `<area>/<tenant>/…`. An object says in its metadata which sha256 it has, so it
 * exists for readers from the moment it is there as a whole. Of a stream longer than a part the hash is known only when it is
 * stored: it lies beside, and an empty object that says where, put last, is what makes it exist.
 */
export class S3ContentStore implements ContentStore {
  readonly #objects: S3Objects;
  readonly #area: string;
  readonly #background = new Background();

  constructor(objects: S3Objects, area: string) {
    this.#objects = objects;
    this.#area = area;
  }

  async put(
    { scope, last }: ContentName,
    source: Source,
    { onBytes, signal }: PutOptions = {},
  ): Promise<WrittenContent> {
    const measure = new Measure();
    const total = source instanceof Uint8Array ? source.length : undefined;
    const finish = (sha256: string): WrittenContent => {
      const lines = measure.lines.lines();
      return {
        name: `${scope}.${last(sha256)}`,
        size: measure.size,
        sha256,
        ...(lines === undefined ? {} : { lines }),
      };
    };
    if (source instanceof Uint8Array && source.length > PART_BYTES) {
      for await (const piece of pieces(source, PART_BYTES)) {
        measure.add(piece);
        await nextTurn();
      }
      const written = finish(measure.sha256());
      const acknowledged = (bytes: number) => onBytes?.(bytes, total);
      const parts = pieces(source, PART_BYTES);
      await this.#upload(this.#key(written.name), { sha256: written.sha256 }, parts, acknowledged, signal);
      return written;
    }

    const stream = pieces(source, PART_BYTES);
    const first = await stream.next();
    const second = first.done ? first : await stream.next();
    if (second.done) {
      const body = first.done ? new Uint8Array() : first.value;
      measure.add(body);
      const written = finish(measure.sha256());
      await this.#objects.put(this.#key(written.name), body, { sha256: written.sha256 }, signal);
      if (body.length > 0) onBytes?.(body.length, total);
      return written;
    }

    const data = `data-${randomBytes(16).toString('hex')}`;
    const dataKey = this.#key(`${scope}.${data}`);
    await this.#upload(
      dataKey,
      {},
      measure.through([first.value, second.value], stream),
      (n) => onBytes?.(n, total),
      signal,
    );
    const written = finish(measure.sha256());
    try {
      const pointer = { sha256: written.sha256, size: String(written.size), data };
      await this.#objects.put(this.#key(written.name), new Uint8Array(), pointer, signal);
    } catch (error) {
      this.#background.start(() => this.#objects.remove(dataKey));
      throw error;
    }
    return written;
  }

  async open(name: string): Promise<OpenContent | undefined> {
    const found = await this.#find(name);
    if (found === undefined) return undefined;
    const { key, size, sha256 } = found;
    return { name, size, sha256, chunks: (range) => this.#read({ name, key, size, sha256 }, range) };
  }

  discard(name: string): void {
    this.#background.start(async () => {
      const found = await this.#find(name);
      if (found === undefined) return;
      await this.#objects.remove(this.#key(name));
      if (found.key !== this.#key(name)) await this.#objects.remove(found.key);
    });
  }

  idle(): Promise<void> {
    return this.#background.idle();
  }

  /** Where the content of that name lies. An object that does not say its hash is none of ours, or half of one. */
  async #find(
    name: string,
  ): Promise<{ readonly key: string; readonly size: number; readonly sha256: string } | undefined> {
    if (!NAME.test(name)) return undefined;
    const key = this.#key(name);
    const object = await this.#objects.head(key);
    const { sha256, size, data } = object?.metadata ?? {};
    if (object === undefined || sha256 === undefined) return undefined;
    if (data === undefined) return { key, size: object.size, sha256 };
    return { key: `${key.slice(0, key.lastIndexOf('/'))}/${data}`, size: Number(size), sha256 };
  }

  /** In parts; a failure takes away what is stored of it, once the parts under way have ended. */
  async #upload(
    key: string,
    metadata: Record<string, string>,
    parts: AsyncIterable<Uint8Array>,
    onBytes: (acknowledged: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const upload = await this.#objects.begin(key, metadata, signal);
    const tags: string[] = [];
    const underWay = new Set<Promise<void>>();
    let [sent, acknowledged] = [0, 0];
    let failure: { readonly error: unknown } | undefined;
    try {
      for await (const part of parts) {
        const number = tags.push('');
        if (number > MAX_PARTS) throw new RangeError(`A content may have ${MAX_PARTS * PART_BYTES} bytes; split it.`);
        sent += part.length;
        const sending: Promise<void> = this.#objects
          .part(key, upload, number, part, signal)
          .then((tag) => {
            tags[number - 1] = tag;
            acknowledged += part.length;
            onBytes(acknowledged);
          })
          .catch((error: unknown) => {
            failure ??= { error };
          })
          .finally(() => underWay.delete(sending));
        underWay.add(sending);
        if (underWay.size >= IN_FLIGHT) await Promise.race(underWay);
        if (failure) throw failure.error;
        signal?.throwIfAborted();
      }
      await Promise.all(underWay);
      if (failure) throw failure.error;
      signal?.throwIfAborted();
      await this.#objects.complete(key, upload, tags, sent);
    } catch (error) {
      this.#background.start(async () => {
        await Promise.all(underWay);
        await this.#objects.abort(key, upload);
      });
      throw error;
    }
  }

  /** A connection that breaks is taken up where it broke. */
  async *#read(
    content: { readonly name: string; readonly key: string; readonly size: number; readonly sha256: string },
    wanted: ByteRange | undefined,
  ): AsyncGenerator<Uint8Array> {
    const { name, key, size } = content;
    const range = clamped(wanted ?? { start: 0, end: size }, size);
    const hash = createHash('sha256');
    let at = range.start;
    for (let stalls = 0; at < range.end; stalls++) {
      if (stalls > MAX_STALLS)
        throw new StoreUnavailableError(`The content ${name} stopped at byte ${at}. Try again later.`);
      const body = await this.#objects.get(key, { start: at, end: range.end });
      if (body === undefined) throw new ContentMissingError(name, 'it does not exist');
      for await (const chunk of body) {
        at += chunk.length;
        if (at > range.end) throw new ContentMissingError(name, 'it has more bytes than were stored');
        stalls = -1;
        if (wanted === undefined) hash.update(chunk);
        yield chunk;
      }
    }
    if (wanted === undefined && hash.digest('hex') !== content.sha256) {
      throw new ContentMissingError(name, 'its bytes do not give the digest that was stored');
    }
  }

  /** Dots part the names, slashes the keys: no name leads out of its tenant's part. */
  #key(name: string): string {
    return `${this.#area}/${name.replaceAll('.', '/')}`;
  }
}

/** Size, hash and lines of what passes by. */
class Measure {
  readonly lines = new LineCounter();
  readonly #hash = createHash('sha256');
  size = 0;

  add(piece: Uint8Array): void {
    this.size += piece.length;
    this.#hash.update(piece);
    this.lines.add(piece);
  }

  sha256(): string {
    return this.#hash.digest('hex');
  }

  async *through(first: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for (const piece of first) {
      this.add(piece);
      yield piece;
    }
    for await (const piece of rest) {
      this.add(piece);
      yield piece;
    }
  }
}
