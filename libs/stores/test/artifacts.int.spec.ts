import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { type ArtifactRef, artifactRef, isArtifactRef, type Json } from '@toolstream/proto-events';
import { type NatsServer, startEphemeralNats } from '@toolstream/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ARTIFACTS_BUCKET, type Artifacts, openArtifacts } from '../src/index.ts';

const RUN = '0-01ARZ3NDEKTSV4RRFFQ69G5FAV';
let nats: NatsServer;
let nc: NatsConnection;
let artifacts: Artifacts;

beforeAll(async () => {
  nats = await startEphemeralNats();
  nc = await connect({ servers: nats.url });
  artifacts = await openArtifacts(nc);
});
afterAll(async () => {
  await nc?.close();
  await nats?.stop();
});

const messages = async () =>
  (await (await jetstreamManager(nc)).streams.info(`OBJ_${ARTIFACTS_BUCKET}`)).state.messages;
const large = (seed: string): Json => ({ text: seed.repeat(40_000) });

describe('an artifact', () => {
  it('is read back by its reference, in the form that events carry', async () => {
    const bytes = randomBytes(300_000);
    const ref = await artifacts.put(bytes, { tenant: 't1', run: RUN, kind: 'output' });
    expect(artifactRef.parse(ref)).toEqual(ref);
    expect(ref.$ref.bytes).toBe(300_000);
    expect(Buffer.from((await artifacts.get(ref, { tenant: 't1' })) ?? []).equals(bytes)).toBe(true);
  });

  it('may come from a stream and go out as one', async () => {
    const parts = [randomBytes(200_000), randomBytes(10)];
    const ref = await artifacts.put(Readable.from(parts), { tenant: 't1', kind: 'output' });
    const read: Uint8Array[] = [];
    for await (const chunk of (await artifacts.stream(ref, { tenant: 't1' })) ?? []) read.push(chunk);
    expect(Buffer.concat(read).equals(Buffer.concat(parts))).toBe(true);
  });

  it('stored again by a retry is the same one, also when both store at the same time', async () => {
    const put = () => artifacts.put(Buffer.from('same'), { tenant: 't1', run: RUN, kind: 'result' });
    const refs = await Promise.all([put(), put(), put()]);
    expect(new Set(refs.map((ref) => ref.$ref.artifact)).size).toBe(1);
    await artifacts.idle();
    const before = await messages();
    expect(await put()).toEqual(refs[0]);
    expect(await messages()).toBe(before);
    expect(Buffer.from((await artifacts.get(refs[0]!, { tenant: 't1' }))!).toString()).toBe('same');
  });

  it('has an id that fits the wire contract for the longest names', async () => {
    const t = 't'.repeat(64);
    const ref = await artifacts.put(Buffer.from('x'), { tenant: t, run: RUN, kind: 'edited_arguments' });
    expect(isArtifactRef(ref)).toBe(true);
  });

  it('of another tenant is as good as none', async () => {
    const ref = await artifacts.put(Buffer.from('"secret"'), { tenant: 't1', kind: 'result' });
    for (const tenant of ['t2', 't', 't1.x', '']) {
      expect(await artifacts.get(ref, { tenant })).toBeUndefined();
      expect(await artifacts.stream(ref, { tenant })).toBeUndefined();
      expect(await artifacts.resolve([ref], { tenant })).toEqual([ref]);
    }
  });

  it('is not given for a reference whose size or hash differ', async () => {
    const { $ref } = await artifacts.put(Buffer.from('"x"'), { tenant: 't1', kind: 'result' });
    const get = (change: Partial<ArtifactRef['$ref']>) =>
      artifacts.get({ $ref: { ...$ref, ...change } }, { tenant: 't1' });
    expect(await get({})).toBeDefined();
    expect(await get({ bytes: 4 })).toBeUndefined();
    expect(await get({ sha256: '0'.repeat(64) })).toBeUndefined();
    expect(await get({ artifact: `t1.${RUN}.result.none` })).toBeUndefined();
  });
});

describe('a value', () => {
  const tenant = 't1';

  it('stays itself while it is small, and becomes a reference when it is large', async () => {
    const small = { a: ['b'] };
    expect(await artifacts.putJsonIfLarge(small, { tenant, run: RUN })).toBe(small);
    const ref = await artifacts.putJsonIfLarge(large('x'), { tenant, run: RUN });
    expect(isArtifactRef(ref)).toBe(true);
    expect(await artifacts.resolve(ref, { tenant })).toEqual(large('x'));
  });

  it('is measured in bytes of JSON, at the limit exactly', async () => {
    const put = (value: Json) => artifacts.putJsonIfLarge(value, { tenant, limit: 10 });
    expect(await put('éééé')).toBe('éééé');
    expect(isArtifactRef(await put('ééééx'))).toBe(true);
  });

  it('is resolved at any depth, through references within references', async () => {
    const inner = await artifacts.putJsonIfLarge(large('i'), { tenant });
    const outer = await artifacts.putJsonIfLarge({ inner, more: large('o') }, { tenant });
    const resolved = await artifacts.resolve({ list: [1, { outer }], plain: null }, { tenant });
    expect(resolved).toEqual({ list: [1, { outer: { inner: large('i'), more: large('o') } }], plain: null });
  });

  it('without references is returned as it is, and keeps what only looks like one', async () => {
    const value = { $ref: '#/definitions/x', list: [{ $ref: { artifact: 'x' } }] };
    expect(await artifacts.resolve(value, { tenant })).toBe(value);
  });

  it('cannot be made to explode by naming a large artifact many times', async () => {
    const ref = await artifacts.putJsonIfLarge(large('b'), { tenant });
    const bomb = Array.from({ length: 100 }, () => ref);
    await expect(artifacts.resolve(bomb, { tenant, maxBytes: 1_000_000 })).rejects.toMatchObject({
      code: 'content_too_large',
    });
  });

  it('keeps a reference to what is no JSON', async () => {
    const ref = await artifacts.put(Buffer.from([0xff, 0x00]), { tenant, kind: 'output' });
    expect(await artifacts.resolve({ ref }, { tenant })).toEqual({ ref });
  });
});
