import { createHash, randomBytes } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import { type ArtifactRef, INLINE_LIMIT_BYTES, isArtifactRef, isToken, type Json } from '@toolstream/proto-events';
import { ARTIFACTS_BUCKET, type BucketOptions, openContent } from './buckets.ts';
import { type ContentStore, type OpenContent, type PutOptions, readAll, type Source } from './content.ts';
import { ContentTooLargeError, PathError } from './errors.ts';

export interface ArtifactMeta extends PutOptions {
  readonly tenant: string;
  readonly run?: string | undefined;
  /** One token: `arguments`, `result`, `output`, … */
  readonly kind: string;
}

export interface InlineOptions {
  readonly tenant: string;
  readonly run?: string | undefined;
  readonly kind?: string;
  /** Bytes of JSON that stay inline. */
  readonly limit?: number;
}

/** Whose references count. A reference to anything of another tenant is as good as one to nothing. */
export interface ArtifactScope {
  readonly tenant: string;
}

const READ_LIMIT_BYTES = 64 * 1024 * 1024;
/** References inside resolved values are resolved too; what lies deeper stays a reference. */
const MAX_DEPTH = 4;

export async function openArtifacts(nc: NatsConnection, options: BucketOptions = {}): Promise<Artifacts> {
  return new Artifacts(await openContent(nc, ARTIFACTS_BUCKET, 'Values and outputs too large for an event', options));
}

/**
 * Immutable values outside the log. Ids are `<tenant>.<run>.<kind>.<sha256>`, so that storing a value again, as a retry does,
 * stores nothing; streams, whose hash is known only at their end, get a random last part.
 */
export class Artifacts {
  readonly #content: ContentStore;

  constructor(content: ContentStore) {
    this.#content = content;
  }

  async put(data: Source, { tenant, run = '_', kind, onBytes, signal }: ArtifactMeta): Promise<ArtifactRef> {
    for (const [what, value] of Object.entries({ tenant, run, kind })) {
      if (!isToken(value)) throw new PathError('invalid_arguments', `${JSON.stringify(value)} is no ${what}.`);
    }
    const scope = `${tenant}.${run}.${kind}`;
    if (data instanceof Uint8Array) {
      const sha256 = createHash('sha256').update(data).digest('hex');
      const stored = await this.#content.open(`${scope}.${sha256}`);
      if (stored !== undefined) return refTo(stored);
      return refTo(await this.#content.put({ scope, last: () => sha256 }, data, { onBytes, signal }));
    }
    const unique = randomBytes(16).toString('hex');
    return refTo(await this.#content.put({ scope, last: () => unique }, data, { onBytes, signal }));
  }

  /** The whole artifact, or `undefined` where there is none, or it is another tenant's, or not what the reference says. */
  async get(
    ref: ArtifactRef,
    { tenant, maxBytes = READ_LIMIT_BYTES }: ArtifactScope & { readonly maxBytes?: number },
  ): Promise<Uint8Array | undefined> {
    const content = await this.#open(ref, tenant);
    return content && readAll(content, maxBytes);
  }

  /** Read as fast as it is consumed. */
  async stream(ref: ArtifactRef, { tenant }: ArtifactScope): Promise<AsyncIterable<Uint8Array> | undefined> {
    return (await this.#open(ref, tenant))?.chunks();
  }

  /** The value itself while its JSON is small, else a reference to an artifact that holds it. */
  async putJsonIfLarge(
    value: Json,
    { tenant, run, kind = 'json', limit = INLINE_LIMIT_BYTES }: InlineOptions,
  ): Promise<Json> {
    const text = JSON.stringify(value);
    if (text.length * 3 <= limit || Buffer.byteLength(text) <= limit) return value;
    return await this.put(Buffer.from(text), { tenant, run, kind });
  }

  /**
   * The value with every reference of this tenant replaced by what it stands for; other references stay as they are. What is
   * put in may not exceed `maxBytes` (64 MiB) altogether, since a small value can name a large one many times.
   */
  async resolve(
    value: Json,
    { tenant, maxBytes = READ_LIMIT_BYTES }: ArtifactScope & { readonly maxBytes?: number },
  ): Promise<Json> {
    const budget = { left: maxBytes };
    return this.#resolve(value, tenant, budget, 0);
  }

  idle(): Promise<void> {
    return this.#content.idle();
  }

  async #resolve(value: Json, tenant: string, budget: { left: number }, depth: number): Promise<Json> {
    if (!holdsReference(value)) return value;
    if (isReference(value)) return this.#dereference(value, tenant, budget, depth);
    if (Array.isArray(value)) {
      const items: Json[] = [];
      for (const item of value) items.push(await this.#resolve(item, tenant, budget, depth));
      return items;
    }
    const members: [string, Json][] = [];
    for (const [key, item] of Object.entries(value as Record<string, Json>)) {
      members.push([key, await this.#resolve(item, tenant, budget, depth)]);
    }
    return Object.fromEntries(members);
  }

  async #dereference(ref: ArtifactRef, tenant: string, budget: { left: number }, depth: number): Promise<Json> {
    const content = depth < MAX_DEPTH ? await this.#open(ref, tenant) : undefined;
    if (content === undefined) return ref;
    budget.left -= content.size;
    if (budget.left < 0) throw new ContentTooLargeError('The resolved value', content.size, content.size + budget.left);
    const text = Buffer.from(await readAll(content, content.size)).toString();
    let value: Json;
    try {
      value = JSON.parse(text) as Json;
    } catch {
      return ref;
    }
    return this.#resolve(value, tenant, budget, depth + 1);
  }

  async #open({ $ref }: ArtifactRef, tenant: string): Promise<OpenContent | undefined> {
    if (!isToken(tenant) || !$ref.artifact.startsWith(`${tenant}.`)) return undefined;
    const content = await this.#content.open($ref.artifact);
    return content?.sha256 === $ref.sha256 && content.size === $ref.bytes ? content : undefined;
  }
}

/** By far most values hold none: they are returned as they are, after one synchronous look. */
function holdsReference(value: Json): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.some(holdsReference);
  return isReference(value) || Object.values(value).some(holdsReference);
}

const isReference = (value: Json): value is ArtifactRef =>
  value !== null && typeof value === 'object' && Object.hasOwn(value, '$ref') && isArtifactRef(value);

const refTo = ({ name, size, sha256 }: { name: string; size: number; sha256: string }): ArtifactRef => ({
  $ref: { artifact: name, bytes: size, sha256 },
});
