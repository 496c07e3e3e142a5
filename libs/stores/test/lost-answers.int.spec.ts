import { randomBytes } from 'node:crypto';
import { Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileIndex } from '../src/file-index.ts';
import { type AppWorkspace, FILES_BUCKET, openArtifacts, openWorkspace } from '../src/index.ts';
import type { LossyNetwork } from './fixtures/lossy-network.ts';
import { type OwnNats, ownNats } from './fixtures/own-nats.ts';

const scope = { tenant: 't1', app: 'a1' };
const by = { run: '0-01ARZ3NDEKTSV4RRFFQ69G5FAV', index: 0, attempt: 1 };
let own: OwnNats;
let nc: NatsConnection;
let network: LossyNetwork;
let files: AppWorkspace;

beforeAll(async () => {
  own = await ownNats();
  ({ nc, network } = own);
  files = (await openWorkspace(nc)).at(scope);
});
afterAll(() => own?.stop());

describe('when an answer is lost', () => {
  it.each([
    ['of a chunk in the middle', 3],
    ['of the content as a whole', 8],
  ])('%s, the file holds every byte once', async (_what, chunk) => {
    const bytes = randomBytes(8 * 128 * 1024);
    let acknowledged = 0;
    await files.write(`f${chunk}`, bytes, {
      ...by,
      expectedRevision: 0,
      onBytes: () => {
        acknowledged++;
        if (acknowledged === chunk) network.loseAnswers();
      },
    });
    expect(acknowledged).toBe(8);
    expect(Buffer.from((await files.read(`f${chunk}`))!.bytes).equals(bytes)).toBe(true);
  });

  it('of the update of the index, it counts as done, with the revision that it has', async () => {
    const index = await FileIndex.over(nc, await new Kvm(nc).open(FILES_BUCKET, { allow_direct: false }));
    const { revision, ...entry } = await files.write('g', Buffer.from('x'), { ...by, expectedRevision: 0 });
    network.loseAnswers();
    const next = await index.replace(scope, { ...entry, object: 'the-next-one' }, revision);
    expect(next).toBeGreaterThan(revision);
    expect((await files.head('g'))?.revision).toBe(next);
  });

  it('of an artifact, the reference is good', async () => {
    const artifacts = await openArtifacts(nc);
    network.loseAnswers();
    const ref = await artifacts.put(Buffer.from('x'), { tenant: 't1', kind: 'result' });
    expect(Buffer.from((await artifacts.get(ref, { tenant: 't1' }))!).toString()).toBe('x');
  });
});
