import { createHash, randomBytes } from 'node:crypto';
import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  type MsgRequest,
  type StoredMsg,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
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
  within,
} from './content.ts';
import { ContentMissingError } from './errors.ts';
import { ANSWER_MS, isWrongSequence, persist } from './persist.ts';

const CHUNK_BYTES = 128 * 1024;
/** A message's headers count towards the server's `max_payload` too. */
const HEADER_ROOM = 4 * 1024;

/** An object's metadata as every NATS client writes and reads it (ADR-20), as far as it is used here. */
interface ObjectMeta {
  readonly name: string;
  readonly bucket: string;
  readonly nuid: string;
  readonly size: number;
  readonly chunks: number;
  readonly digest: string;
  readonly mtime: string;
  readonly deleted?: boolean;
  readonly options?: { readonly max_chunk_size?: number };
}

/**
 * Contents in a NATS object store bucket, in the layout that `nats object` and every client understand. Read and written here
 * message by message instead of through the client's object store, because that one leaves a consumer behind on every read
 * (the server allows a stream 1,000 of them), cannot send a chunk again when its answer was lost, and keeps a tombstone of
 * every deleted object.
 */
export class NatsContentStore implements ContentStore {
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #bucket: string;
  readonly #stream: string;
  readonly #chunkBytes: number;
  readonly #background = new Background();

  constructor(nc: NatsConnection, jsm: JetStreamManager, bucket: string) {
    this.#js = jetstream(nc);
    this.#jsm = jsm;
    this.#bucket = bucket;
    this.#stream = `OBJ_${bucket}`;
    this.#chunkBytes = Math.min(CHUNK_BYTES, (nc.info?.max_payload ?? 1024 * 1024) - HEADER_ROOM);
  }

  async put(
    { scope, last }: ContentName,
    source: Source,
    { onBytes, signal }: PutOptions = {},
  ): Promise<WrittenContent> {
    const nuid = randomBytes(16).toString('hex');
    const subject = this.#chunkSubject(nuid);
    const total = source instanceof Uint8Array ? source.length : undefined;
    const hash = createHash('sha256');
    const counter = new LineCounter();
    let size = 0;
    let chunks = 0;
    try {
      for await (const piece of pieces(source, this.#chunkBytes)) {
        hash.update(piece);
        counter.add(piece);
        // The message id makes a chunk that is sent again, because its answer was lost, count once.
        const options = { msgID: `${nuid}.${chunks}`, timeout: ANSWER_MS };
        await persist(`a chunk of ${size} bytes on`, () => this.#js.publish(subject, piece, options), signal);
        chunks++;
        size += piece.length;
        onBytes?.(size, total);
      }
      signal?.throwIfAborted();
      const digest = hash.digest();
      const sha256 = digest.toString('hex');
      const name = `${scope}.${last(sha256)}`;
      await this.#publishMeta({
        name,
        bucket: this.#bucket,
        nuid,
        size,
        chunks,
        digest: `SHA-256=${paddedBase64Url(digest)}`,
        mtime: new Date().toISOString(),
        options: { max_chunk_size: this.#chunkBytes },
      });
      const lines = counter.lines();
      return { name, size, sha256, ...(lines === undefined ? {} : { lines }) };
    } catch (error) {
      if (chunks > 0) this.#background.start(() => this.#purge(subject));
      throw error;
    }
  }

  async open(name: string): Promise<OpenContent | undefined> {
    const meta = await this.#meta(name);
    if (meta === undefined) return undefined;
    const { size, digest } = meta;
    return { name, size, sha256: hexDigest(digest), chunks: (range) => this.#read(meta, range) };
  }

  discard(name: string): void {
    this.#background.start(async () => {
      const meta = await this.#meta(name);
      if (meta === undefined) return;
      await this.#purge(this.#metaSubject(name));
      await this.#purge(this.#chunkSubject(meta.nuid));
    });
  }

  idle(): Promise<void> {
    return this.#background.idle();
  }

  /** Publishing the metadata is what makes the object exist. Of two writers of one name the first wins; contents are equal. */
  async #publishMeta(meta: ObjectMeta): Promise<void> {
    const subject = this.#metaSubject(meta.name);
    const options = { expect: { lastSubjectSequence: 0 }, timeout: ANSWER_MS };
    try {
      await persist(`the metadata of ${meta.name}`, () => this.#js.publish(subject, JSON.stringify(meta), options));
    } catch (error) {
      if (!isWrongSequence(error)) throw error;
      const stored = await this.#meta(meta.name);
      if (stored?.digest !== meta.digest)
        throw new ContentMissingError(meta.name, 'its name is taken by another content');
      if (stored.nuid !== meta.nuid) this.#background.start(() => this.#purge(this.#chunkSubject(meta.nuid)));
    }
  }

  async #meta(name: string): Promise<ObjectMeta | undefined> {
    const query = { last_by_subj: this.#metaSubject(name) };
    const stored = await persist(`the metadata of ${name}`, () => this.#jsm.streams.getMessage(this.#stream, query));
    const meta = stored?.json<ObjectMeta>();
    return meta === undefined || meta.deleted ? undefined : meta;
  }

  /** A range is read from the beginning all the same: chunks are found one after the other. */
  async *#read(meta: ObjectMeta, wanted: ByteRange | undefined): AsyncGenerator<Uint8Array> {
    const subject = this.#chunkSubject(meta.nuid);
    const range = wanted && clamped(wanted, meta.size);
    const hash = createHash('sha256');
    let sequence = 0;
    let at = 0;
    for (let read = 0; read < meta.chunks; read++) {
      if (range !== undefined && at >= range.end) return;
      const chunk = await persist(`content of ${meta.name}`, () => this.#chunkAfter(subject, sequence));
      if (chunk === undefined) throw new ContentMissingError(meta.name, `chunk ${read + 1} of ${meta.chunks} is gone`);
      sequence = chunk.seq;
      if (range === undefined) {
        hash.update(chunk.data);
        yield chunk.data;
      } else {
        const part = within(chunk.data, at, range);
        if (part.length > 0) yield part;
      }
      at += chunk.data.length;
    }
    if (range === undefined && hash.digest('hex') !== hexDigest(meta.digest)) {
      throw new ContentMissingError(meta.name, 'its bytes do not give the digest that was stored');
    }
  }

  /** Any replica may answer; one that does not have the chunk yet is passed over for the leader. */
  async #chunkAfter(subject: string, sequence: number): Promise<StoredMsg | undefined> {
    const query = { seq: sequence + 1, next_by_subj: subject };
    const nearest = await this.#jsm.direct.getMessage(this.#stream, query);
    if (nearest !== null) return nearest;
    // The server takes `next_by_subj` here as well; the client's type leaves it out.
    return (await this.#jsm.streams.getMessage(this.#stream, query as MsgRequest)) ?? undefined;
  }

  async #purge(filter: string): Promise<void> {
    await this.#jsm.streams.purge(this.#stream, { filter });
  }

  #chunkSubject(nuid: string): string {
    return `$O.${this.#bucket}.C.${nuid}`;
  }

  #metaSubject(name: string): string {
    return `$O.${this.#bucket}.M.${paddedBase64Url(Buffer.from(name))}`;
  }
}

function paddedBase64Url(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

const hexDigest = (digest: string): string => Buffer.from(digest.replace(/^SHA-256=/, ''), 'base64url').toString('hex');
