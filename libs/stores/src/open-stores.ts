import type { NatsConnection } from '@nats-io/nats-core';
import { Artifacts } from './artifacts.ts';
import {
  ARTIFACTS_BUCKET,
  type BucketOptions,
  FILES_BUCKET,
  openContent,
  openIndex,
  WORKSPACE_BUCKET,
} from './buckets.ts';
import { type StoresConfig, s3Settings, storesConfigProblems, usesS3 } from './config.ts';
import type { ContentStore } from './content.ts';
import { StoreError, StoresStartError } from './errors.ts';
import { FileIndex } from './file-index.ts';
import { S3ContentStore } from './s3-content.ts';
import { S3Objects } from './s3-objects.ts';
import { type Workspace, workspaceOver } from './workspace.ts';

export interface Stores {
  readonly artifacts: Artifacts;
  readonly workspace: Workspace;
}

export interface OpenOptions extends Omit<BucketOptions, 'mode'> {
  /** What the store is asked at the start whether these keys may; `write` is the default. */
  readonly access?: 'read' | 'write';
}

/** `TOOLSTREAM_STREAMS`: what to do about buckets of NATS. A bucket of S3 is never made. */
type Config = StoresConfig & { readonly TOOLSTREAM_STREAMS?: BucketOptions['mode'] };

/**
 * The workspace and the artifacts as the configuration says: the index in NATS, contents in NATS or in S3. Everything that would
 * keep them from working is in the one `StoresStartError`.
 */
export async function openStores(nc: NatsConnection, config: Config, options: OpenOptions = {}): Promise<Stores> {
  const { access = 'write', replicas, storage } = options;
  const buckets = {
    ...(config.TOOLSTREAM_STREAMS === undefined ? {} : { mode: config.TOOLSTREAM_STREAMS }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(storage === undefined ? {} : { storage }),
  };
  const problems = storesConfigProblems(config);
  if (problems.length > 0)
    throw new StoresStartError(problems.map(({ variable, problem }) => `${variable} ${problem}.`));
  const [contents, index] = await allOrProblems(
    usesS3(config) ? inS3(config, access) : inNats(nc, buckets),
    openIndex(nc, FILES_BUCKET, 'Workspace files: <tenant>.<app>.<base64url(path)>', buckets),
  );
  return {
    artifacts: new Artifacts(contents.artifacts),
    workspace: workspaceOver(contents.files, await FileIndex.over(nc, index)),
  };
}

interface Contents {
  readonly artifacts: ContentStore;
  readonly files: ContentStore;
}

async function inNats(nc: NatsConnection, options: BucketOptions): Promise<Contents> {
  const [artifacts, files] = await allOrProblems(
    openContent(nc, ARTIFACTS_BUCKET, 'Values and outputs too large for an event', options),
    openContent(nc, WORKSPACE_BUCKET, 'Contents of workspace files', options),
  );
  return { artifacts, files };
}

async function inS3(config: Config, access: 'read' | 'write'): Promise<Contents> {
  const objects = await S3Objects.connect(s3Settings(config));
  await objects.probe(access);
  return { artifacts: new S3ContentStore(objects, 'artifacts'), files: new S3ContentStore(objects, 'workspace') };
}

/** Both, or one error with what is wrong with either. A failure that is no store's is thrown as it is. */
async function allOrProblems<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([a, b]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value];
  const reasons = [first, second].flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
  const problems: string[] = [];
  for (const reason of reasons) {
    if (reason instanceof StoresStartError) problems.push(...reason.problems);
    else if (reason instanceof StoreError) problems.push(reason.message);
    else throw reason;
  }
  throw new StoresStartError(problems);
}
