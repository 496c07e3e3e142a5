import { type JetStreamManager, jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { Objm } from '@nats-io/obj';
import { StoreUnavailableError } from './errors.ts';
import { NatsContentStore } from './nats-content.ts';
import { ANSWER_MS, persist } from './persist.ts';

export const WORKSPACE_BUCKET = 'TS_WORKSPACE';
export const FILES_BUCKET = 'TS_FILES';
export const ARTIFACTS_BUCKET = 'TS_ARTIFACTS';

export interface BucketOptions {
  /** `create` (default) makes what is missing, `verify` fails where it is missing, `off` looks at nothing. */
  readonly mode?: 'create' | 'verify' | 'off';
  readonly replicas?: number;
  readonly storage?: 'file' | 'memory';
}

export async function openContent(
  nc: NatsConnection,
  bucket: string,
  description: string,
  options: BucketOptions,
): Promise<NatsContentStore> {
  const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: ANSWER_MS });
  const { replicas = 1 } = options;
  await prepare(jsm, `OBJ_${bucket}`, options, async () => {
    await new Objm(jetstream(nc, { timeout: ANSWER_MS })).create(bucket, {
      description,
      replicas,
      storage: storageType(options),
    });
  });
  return new NatsContentStore(nc, jsm, bucket);
}

/** One value per key. The stream allows direct reads, for listings; the handle itself reads from the leader. */
export async function openIndex(
  nc: NatsConnection,
  bucket: string,
  description: string,
  options: BucketOptions,
): Promise<KV> {
  const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: ANSWER_MS });
  const { replicas = 1 } = options;
  await prepare(jsm, `KV_${bucket}`, options, async () => {
    const storage = storageType(options);
    await new Kvm(jetstream(nc, { timeout: ANSWER_MS })).create(bucket, {
      description,
      replicas,
      storage,
      history: 1,
      allow_direct: true,
    });
  });
  await prepareStream(jsm, `KV_${bucket}`, options);
  return new Kvm(jetstream(nc, { timeout: ANSWER_MS })).open(bucket, { allow_direct: false });
}

/** Deletions go away by themselves, renames change two keys at once: settings that the client's `Kvm` does not know. */
const INDEX_SETTINGS = { allow_msg_ttl: true, allow_atomic: true } as const;

async function prepareStream(jsm: JetStreamManager, stream: string, { mode = 'create' }: BucketOptions): Promise<void> {
  if (mode === 'off') return;
  const { config } = await persist(`the bucket ${stream}`, () => jsm.streams.info(stream));
  const missing = Object.keys(INDEX_SETTINGS).filter((name) => config[name as keyof typeof INDEX_SETTINGS] !== true);
  if (missing.length === 0) return;
  if (mode === 'create') {
    await persist(`the bucket ${stream}`, () => jsm.streams.update(stream, INDEX_SETTINGS));
    return;
  }
  const text = `The stream ${stream} lacks ${missing.join(' and ')}. Set them, or start once with TOOLSTREAM_STREAMS=create.`;
  throw new StoreUnavailableError(text);
}

const storageType = ({ storage }: BucketOptions) => (storage === 'memory' ? StorageType.Memory : StorageType.File);

async function prepare(
  jsm: JetStreamManager,
  stream: string,
  { mode = 'create' }: BucketOptions,
  create: () => Promise<void>,
): Promise<void> {
  if (mode === 'off') return;
  if (mode === 'create') return persist(`the bucket ${stream}`, create);
  try {
    await persist(`the bucket ${stream}`, () => jsm.streams.info(stream));
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error;
    const text = `The stream ${stream} is missing. Create it, or start once with TOOLSTREAM_STREAMS=create.`;
    throw new StoreUnavailableError(text, { cause: error });
  }
}
