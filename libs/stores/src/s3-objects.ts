import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ByteRange } from './content.ts';
import { StoreUnavailableError } from './errors.ts';
import { PATIENCE_MS, persistWith } from './persist.ts';
import { isAbsent, isGoneUpload, refusal, type S3Place, s3Verdicts } from './s3-errors.ts';

export interface S3Settings {
  readonly bucket: string;
  /** Put before every key; empty, or a path that ends in no slash. */
  readonly prefix: string;
  /** Absent: AWS. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** `https://endpoint/bucket/key` in place of `https://bucket.endpoint/key`. */
  readonly pathStyle: boolean;
  /** Absent: where the SDK looks for them, files and roles included. */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string | undefined;
  };
}

const CONNECT_MS = 3_000;
/** Without a byte in either direction for this long, a request is given up and sent again. */
const SILENCE_MS = 10_000;
const PROBE_PATIENCE_MS = 10_000;
const PROBE_KEY = '.toolstream';

type Sdk = typeof import('@aws-sdk/client-s3');

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly patienceMs?: number | undefined;
}

/**
 * The few requests of S3 that are used here, each of which may arrive twice and is sent until it is answered or 20 s have
 * passed. Bodies are signed with their hash, so one that is changed on its way is refused.
 */
export class S3Objects {
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #place: S3Place;

  /** Loads the SDK: whoever keeps contents in NATS never does. */
  static async connect(settings: S3Settings): Promise<S3Objects> {
    return new S3Objects(await import('@aws-sdk/client-s3'), settings);
  }

  private constructor(sdk: Sdk, { bucket, prefix, endpoint, region, pathStyle, credentials }: S3Settings) {
    this.#sdk = sdk;
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.#place = { bucket, endpoint, region };
    this.#client = new sdk.S3Client({
      region,
      forcePathStyle: pathStyle,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials: given(credentials) }),
      // Sent again here, for as long as is reasonable, not by the SDK as well.
      maxAttempts: 1,
      // Not every store knows the SDK's own checksums; the sha256 that is kept with each object covers more.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
    });
  }

  /** Refuses, with a sentence, a bucket that cannot be used: missing, in another region, not for these keys, not there. */
  async probe(access: 'read' | 'write'): Promise<void> {
    const { ListObjectsV2Command, PutObjectCommand } = this.#sdk;
    const once = { patienceMs: PROBE_PATIENCE_MS };
    const list = { Bucket: this.#bucket, Prefix: this.#prefix, MaxKeys: 1 };
    const marker = { Bucket: this.#bucket, Key: this.#prefix + PROBE_KEY, Body: new Uint8Array() };
    try {
      await this.#call('listing', () => this.#client.send(new ListObjectsV2Command(list)), once);
      if (access === 'read') return;
      await this.#call('writing', () => this.#client.send(new PutObjectCommand(marker)), once);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      const { endpoint = 'AWS' } = this.#place;
      const reason = error.cause instanceof Error ? error.cause.message || error.cause.name : error.message;
      const text = `S3 at ${endpoint} does not answer (${reason}). Start it, or correct TOOLSTREAM_S3_ENDPOINT.`;
      throw new StoreUnavailableError(text, { cause: error });
    }
  }

  async put(key: string, body: Uint8Array, metadata: Record<string, string>, signal?: AbortSignal): Promise<void> {
    const { PutObjectCommand } = this.#sdk;
    const input = { ...this.#at(key), Body: body, Metadata: metadata, ContentType: 'application/octet-stream' };
    await this.#call('writing', () => this.#client.send(new PutObjectCommand(input), aborting(signal)), { signal });
  }

  async head(key: string): Promise<{ readonly size: number; readonly metadata: Record<string, string> } | undefined> {
    const { HeadObjectCommand } = this.#sdk;
    const found = await this.#absentOr('reading', () => this.#client.send(new HeadObjectCommand(this.#at(key))));
    return found && { size: found.ContentLength ?? 0, metadata: found.Metadata ?? {} };
  }

  /** The bytes up to where the connection breaks, if it does: what is missing is asked for anew. */
  async get(key: string, { start, end }: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    const { GetObjectCommand } = this.#sdk;
    const input = { ...this.#at(key), Range: `bytes=${start}-${end - 1}` };
    const found = await this.#absentOr('reading', () => this.#client.send(new GetObjectCommand(input)));
    return found && untilItBreaks(found.Body as Readable);
  }

  async remove(key: string): Promise<void> {
    const { DeleteObjectCommand } = this.#sdk;
    await this.#call('deleting', () => this.#client.send(new DeleteObjectCommand(this.#at(key))));
  }

  async begin(key: string, metadata: Record<string, string>, signal?: AbortSignal): Promise<string> {
    const { CreateMultipartUploadCommand } = this.#sdk;
    const input = { ...this.#at(key), Metadata: metadata, ContentType: 'application/octet-stream' };
    const send = () => this.#client.send(new CreateMultipartUploadCommand(input), aborting(signal));
    const { UploadId } = await this.#call('writing', send, { signal });
    if (UploadId === undefined) throw new Error('The store began an upload without giving its id.');
    return UploadId;
  }

  async part(key: string, upload: string, number: number, body: Uint8Array, signal?: AbortSignal): Promise<string> {
    const { UploadPartCommand } = this.#sdk;
    const input = { ...this.#at(key), UploadId: upload, PartNumber: number, Body: body };
    const send = () => this.#client.send(new UploadPartCommand(input), aborting(signal));
    const { ETag } = await this.#call('writing', send, { signal });
    if (ETag === undefined) throw new Error('The store took a part without giving its tag.');
    return ETag;
  }

  /** If the answer was lost and the upload is gone when it is sent again, the object tells whether the first one had landed. */
  async complete(key: string, upload: string, tags: readonly string[], size: number): Promise<void> {
    const { CompleteMultipartUploadCommand } = this.#sdk;
    const Parts = tags.map((ETag, at) => ({ ETag, PartNumber: at + 1 }));
    const input = { ...this.#at(key), UploadId: upload, MultipartUpload: { Parts } };
    try {
      await this.#call('writing', () => this.#client.send(new CompleteMultipartUploadCommand(input)));
    } catch (error) {
      if (!isGoneUpload(error) || (await this.head(key))?.size !== size) throw error;
    }
  }

  async abort(key: string, upload: string): Promise<void> {
    const { AbortMultipartUploadCommand } = this.#sdk;
    const input = { ...this.#at(key), UploadId: upload };
    try {
      await this.#call('deleting', () => this.#client.send(new AbortMultipartUploadCommand(input)));
    } catch (error) {
      if (!isGoneUpload(error)) throw error;
    }
  }

  async #absentOr<T>(what: string, send: () => Promise<T>): Promise<T | undefined> {
    try {
      return await this.#call(what, send);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async #call<T>(
    what: string,
    send: () => Promise<T>,
    { signal, patienceMs = PATIENCE_MS }: CallOptions = {},
  ): Promise<T> {
    try {
      return await persistWith(s3Verdicts, `${what} in the bucket ${this.#bucket}`, send, { signal, patienceMs });
    } catch (error) {
      throw refusal(error, what, this.#place) ?? error;
    }
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }
}

const aborting = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });

const given = ({ accessKeyId, secretAccessKey, sessionToken }: NonNullable<S3Settings['credentials']>) => ({
  accessKeyId,
  secretAccessKey,
  ...(sessionToken === undefined ? {} : { sessionToken }),
});

async function* untilItBreaks(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk as Uint8Array;
  } catch (error) {
    if (!s3Verdicts.isTransient(error) && (error as { code?: unknown }).code !== 'ABORT_ERR') throw error;
  } finally {
    body.destroy();
  }
}
