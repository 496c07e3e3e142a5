import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStores, type StoresConfig } from '../src/index.ts';
import { S3Server } from './fixtures/s3-server.ts';
import { type S3World, s3World } from './fixtures/worlds.ts';

const RUN = '0-01ARZ3NDEKTSV4RRFFQ69G5FAV';
const MIB = 1024 * 1024;
const tenant = 't1';
const by = { run: RUN, index: 0, attempt: 1, expectedRevision: 0 };

let world: S3World;
beforeAll(async () => {
  world = await s3World();
});
afterAll(() => world?.stop());
const put = (bytes: Uint8Array) => world.stores.artifacts.put(bytes, { tenant, run: RUN, kind: 'output' });
const get = async (ref: Awaited<ReturnType<typeof put>>) =>
  Buffer.from((await world.stores.artifacts.get(ref, { tenant })) ?? []);
async function* inPieces(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += 700_000) yield bytes.subarray(at, at + 700_000);
}

describe('keys in a bucket', () => {
  it('have the prefix, what it is, the tenant and the run, so that a rule of the bucket can name any of them', async () => {
    const ref = await put(Buffer.from('x'));
    const { object } = await world.stores.workspace.at({ tenant, app: 'a' }).write('f', Buffer.from('y'), by);
    const keys = [...world.s3.objects.keys()];
    expect(keys).toContain(`some/prefix/artifacts/${tenant}/${RUN}/output/${ref.$ref.sha256}`);
    expect(keys).toContain(`some/prefix/workspace/${object.replaceAll('.', '/')}`);
  });

  it('of a long stream are two: its content, and what makes it exist, put last', async () => {
    const bytes = randomBytes(11 * MIB);
    const ref = await world.stores.artifacts.put(inPieces(bytes), { tenant, run: RUN, kind: 'long' });
    const [data, name, ...more] = [...world.s3.objects.keys()].filter((key) => key.includes('/long/'));
    expect([data?.includes('/long/data-'), more]).toEqual([true, []]);
    expect(world.s3.objects.get(name!)).toMatchObject({
      metadata: { sha256: ref.$ref.sha256, size: String(11 * MIB) },
    });
    // The content itself has no name that a reference could use.
    const last = data!.slice(data!.lastIndexOf('/') + 1);
    const artifact = `${tenant}.${RUN}.long.${last}`;
    expect(await world.stores.artifacts.get({ $ref: { ...ref.$ref, artifact } }, { tenant })).toBeUndefined();
  });

  it('of a stream whose last step fails leave nothing', async () => {
    const before = await world.stored();
    world.s3.fail('put', { kind: 'refuse', status: 403, code: 'AccessDenied' });
    const write = world.stores.artifacts.put(inPieces(randomBytes(11 * MIB)), { tenant, run: RUN, kind: 'no' });
    await expect(write).rejects.toMatchObject({
      code: 'store_refused',
      message: expect.stringContaining('s3:PutObject'),
    });
    await world.stores.artifacts.idle();
    expect(await world.stored()).toEqual(before);
  });
});

describe('an upload in parts', () => {
  it('is taken up where the store was busy or a connection broke', async () => {
    const bytes = randomBytes(17 * MIB);
    world.s3.fail('begin', { kind: 'refuse', status: 503, code: 'SlowDown' }, 2);
    world.s3.fail('part', { kind: 'refuse', status: 500, code: 'InternalError' }, 3);
    world.s3.fail('part', { kind: 'lost_answer' }, 2);
    world.s3.fail('complete', { kind: 'lost_answer' });
    expect((await get(await put(bytes))).equals(bytes)).toBe(true);
    expect(world.s3.uploads.size).toBe(0);
  });

  it('that is refused half way is taken away', async () => {
    const before = await world.stored();
    world.s3.fail('part', { kind: 'refuse', status: 403, code: 'AccessDenied' });
    await expect(put(randomBytes(17 * MIB))).rejects.toMatchObject({ code: 'store_refused' });
    await world.stores.artifacts.idle();
    expect(world.s3.uploads.size).toBe(0);
    expect(await world.stored()).toEqual(before);
  });

  it('that finds no room says so', async () => {
    world.s3.fail('part', { kind: 'refuse', status: 507, code: 'InsufficientStorage' });
    await expect(put(randomBytes(11 * MIB))).rejects.toMatchObject({ code: 'store_full' });
    await world.stores.artifacts.idle();
    expect(world.s3.uploads.size).toBe(0);
  });

  it('holds two parts and the one being filled, however slow the store is', async () => {
    let taken = 0;
    let acknowledged = 0;
    let most = 0;
    async function* source() {
      for (let i = 0; i < 30; i++) {
        taken += MIB;
        most = Math.max(most, taken - acknowledged);
        yield Buffer.alloc(MIB, i);
      }
    }
    const onBytes = (bytes: number) => {
      acknowledged = bytes;
    };
    world.s3.fail('part', { kind: 'slow', ms: 60 }, 6);
    await world.stores.artifacts.put(source(), { tenant, run: RUN, kind: 'slow', onBytes });
    expect(acknowledged).toBe(30 * MIB);
    expect(most).toBeLessThanOrEqual(16 * MIB);
  });
});

describe('a read', () => {
  it('goes on where the connection broke, and checks the whole all the same', async () => {
    const bytes = randomBytes(2 * MIB);
    const ref = await put(bytes);
    world.s3.fail('get', { kind: 'cut', bytes: 500_000 }, 3);
    expect((await get(ref)).equals(bytes)).toBe(true);
  });

  it('that comes no further gives up with what to do', async () => {
    const ref = await put(randomBytes(1 * MIB));
    world.s3.fail('get', { kind: 'cut', bytes: 0 }, 6);
    await expect(get(ref)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await get(ref)).toHaveLength(1 * MIB);
  });

  it('of an object that is longer or shorter than was stored is refused', async () => {
    const bytes = randomBytes(1000);
    const ref = await put(bytes);
    const [key, object] = [...world.s3.objects].find(([, { body }]) => body.equals(bytes))!;
    world.s3.objects.set(key, { ...object, body: bytes.subarray(1) });
    expect(await world.stores.artifacts.get(ref, { tenant })).toBeUndefined();
    world.s3.objects.set(key, { ...object, body: Buffer.concat([bytes.subarray(1), Buffer.from('x')]) });
    await expect(get(ref)).rejects.toMatchObject({ code: 'content_missing' });
  });
});

describe('a start', () => {
  const start = (change: StoresConfig, access: 'read' | 'write' = 'write') =>
    openStores(world.nc, { ...world.config, ...change }, { access });

  it.each([
    [
      'a bucket that does not exist',
      { TOOLSTREAM_ARTIFACTS: 's3://nowhere' },
      /no bucket nowhere.*TOOLSTREAM_ARTIFACTS/,
    ],
    ['an unknown key', { AWS_ACCESS_KEY_ID: 'AKIDOTHER' }, /AWS_ACCESS_KEY_ID/],
    ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'wrong' }, /AWS_SECRET_ACCESS_KEY/],
    [
      'another region',
      { TOOLSTREAM_S3_REGION: 'eu-west-1' },
      /not in the region eu-west-1. Set TOOLSTREAM_S3_REGION to us-east-1/,
    ],
    [
      'half of the credentials',
      { AWS_SECRET_ACCESS_KEY: undefined },
      /AWS_SECRET_ACCESS_KEY is missing beside AWS_ACCESS_KEY_ID/,
    ],
  ])('with %s says which setting to correct, and never the secret', async (_what, change, says) => {
    const error = (await start(change as StoresConfig).catch((reason: unknown) => reason)) as Error;
    expect(error).toMatchObject({ code: 'stores_unusable', message: expect.stringMatching(says) });
    expect(JSON.stringify([error.message, error.cause])).not.toContain(world.s3.keys.secretAccessKey);
  });

  it('with keys that may only read works for readers, and tells a writer what to grant', async () => {
    world.s3.readOnly = true;
    try {
      await expect(start({})).rejects.toThrow(/does not allow writing.*s3:PutObject/);
      await start({}, 'read');
    } finally {
      world.s3.readOnly = false;
    }
  });

  it('tells everything that is wrong at once', async () => {
    const other = await s3World();
    try {
      const config = { ...other.config, TOOLSTREAM_ARTIFACTS: 's3://nowhere', TOOLSTREAM_STREAMS: 'verify' } as const;
      await (await import('@nats-io/jetstream'))
        .jetstreamManager(other.nc)
        .then((jsm) => jsm.streams.delete('KV_TS_FILES'));
      const start = openStores(other.nc, config);
      await expect(start).rejects.toMatchObject({
        problems: [expect.stringContaining('no bucket nowhere'), expect.stringContaining('KV_TS_FILES is missing')],
      });
    } finally {
      await other.stop();
    }
  });

  it('makes no bucket of NATS for contents that live in S3', async () => {
    const { jetstreamManager } = await import('@nats-io/jetstream');
    const names: string[] = [];
    for await (const { config } of (await jetstreamManager(world.nc)).streams.list()) names.push(config.name);
    expect(names).toEqual(['KV_TS_FILES']);
  });

  it('waits a while for a store that is just starting', async () => {
    world.s3.fail('list', { kind: 'refuse', status: 503, code: 'ServiceUnavailable' }, 3);
    world.s3.fail('put', { kind: 'lost_answer' });
    await start({});
  });
});

describe('the server of these tests', () => {
  it('refuses what S3 refuses: wrong tags, parts too small or in the wrong order, unsigned requests', async () => {
    const server = await S3Server.start();
    try {
      const {
        S3Client,
        CreateMultipartUploadCommand,
        UploadPartCommand,
        CompleteMultipartUploadCommand,
        PutObjectCommand,
      } = await import('@aws-sdk/client-s3');
      const client = new S3Client({
        region: server.region,
        endpoint: server.endpoint,
        forcePathStyle: true,
        credentials: server.keys,
        maxAttempts: 1,
        requestChecksumCalculation: 'WHEN_REQUIRED',
      });
      const at = { Bucket: server.bucket, Key: 'k' };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
      const part = async (PartNumber: number, Body: Uint8Array) =>
        (await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body }))).ETag;
      const tags = [
        await part(1, Buffer.alloc(5 * MIB)),
        await part(2, Buffer.alloc(10)),
        await part(3, Buffer.alloc(10)),
      ];
      const complete = (...parts: [number, string | undefined][]) =>
        client.send(
          new CompleteMultipartUploadCommand({
            ...at,
            UploadId,
            MultipartUpload: { Parts: parts.map(([PartNumber, ETag]) => ({ PartNumber, ETag })) },
          }),
        );
      await expect(complete([1, tags[0]], [2, tags[0]])).rejects.toMatchObject({ name: 'InvalidPart' });
      await expect(complete([2, tags[1]], [1, tags[0]])).rejects.toMatchObject({ name: 'InvalidPartOrder' });
      await expect(complete([1, tags[0]], [2, tags[1]], [3, tags[2]])).rejects.toMatchObject({
        name: 'EntityTooSmall',
      });
      expect(server.objects.size).toBe(0);
      await complete([1, tags[0]], [3, tags[2]]);
      expect(server.objects.get('k')?.body).toHaveLength(5 * MIB + 10);
      await expect(complete([1, tags[0]])).rejects.toMatchObject({ name: 'NoSuchUpload' });

      const unsigned = await fetch(`${server.endpoint}/${server.bucket}/k`, { method: 'PUT', body: 'x' });
      expect([unsigned.status, await unsigned.text()]).toEqual([403, expect.stringContaining('AccessDenied')]);
      client.middlewareStack.add(
        (next) => async (args) => {
          (args.request as { body: unknown }).body = Buffer.from('changed on its way');
          (args.request as { headers: Record<string, string> }).headers['content-length'] = '18';
          return next(args);
        },
        { step: 'finalizeRequest', priority: 'low', name: 'changing' },
      );
      await expect(client.send(new PutObjectCommand({ ...at, Body: 'as it was signed' }))).rejects.toMatchObject({
        name: expect.stringMatching(/XAmzContentSHA256Mismatch|SignatureDoesNotMatch/),
      });
      client.destroy();
    } finally {
      await server.stop();
    }
  });
});
