import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { startEphemeralNats } from '@toolstream/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FileIndex } from '../src/file-index.ts';
import {
  type AppWorkspace,
  type Deletion,
  FILES_BUCKET,
  openWorkspace,
  WORKSPACE_BUCKET,
  type Workspace,
  WorkspaceConflictError,
} from '../src/index.ts';
import { type OwnNats, ownNats } from './fixtures/own-nats.ts';

const RUN = '0-01ARZ3NDEKTSV4RRFFQ69G5FAV';
const text = (value: string) => Buffer.from(value);
const by = (index: number, expectedRevision: number, attempt = 1) => ({ run: RUN, index, attempt, expectedRevision });

let own: OwnNats;
let nc: NatsConnection;
let workspace: Workspace;
let files: AppWorkspace;
let app = 0;

beforeAll(async () => {
  own = await ownNats();
  ({ nc } = own);
  workspace = await openWorkspace(nc);
});
afterAll(() => own?.stop());
beforeEach(() => {
  files = workspace.at({ tenant: 't1', app: `app-${++app}` });
});

const contents = async () => {
  await workspace.idle();
  const jsm = await jetstreamManager(nc);
  const { state } = await jsm.streams.info(`OBJ_${WORKSPACE_BUCKET}`, { subjects_filter: '>' });
  return Object.keys(state.subjects ?? {}).length;
};
const contentOf = async (path: string) => {
  const found = await files.read(path);
  return found && Buffer.from(found.bytes).toString();
};
const openFileIndex = async () => FileIndex.over(nc, await new Kvm(nc).open(FILES_BUCKET, { allow_direct: false }));
const deletionOf = async (path: string): Promise<Deletion> => {
  const { revision } = await files.write(path, text(path), by(0, 0));
  const { revision: _, ...deletion } = await files.delete(path, by(1, revision));
  return deletion;
};
const paths = async () => (await files.list()).map(({ path }) => path);

describe('a file that is deleted', () => {
  it('is absent to every reader, and its contents are gone', async () => {
    const before = await contents();
    const first = await files.write('a/x', text('one'), by(0, 0));
    const second = await files.write('a/x', text('two'), by(1, first.revision));
    await files.write('a/y', text('y'), by(2, 0));
    const deletion = await files.delete('./a//x', { ...by(3, second.revision), meta: { lines: 1 } });
    expect(deletion).toMatchObject({ path: 'a/x', deleted: true, run: RUN, index: 3, attempt: 1, meta: { lines: 1 } });
    expect(await files.head('a/x')).toBeUndefined();
    expect(await files.read('a/x')).toBeUndefined();
    expect(await files.stream('a/x')).toBeUndefined();
    expect(await paths()).toEqual(['a/y']);
    expect(await contents()).toBe(before + 2);
  });

  it('may be created again, by a writer that expects none', async () => {
    const { revision } = await files.write('x', text('old'), by(0, 0));
    await files.delete('x', by(1, revision));
    await expect(files.write('x', text('new'), by(2, revision))).rejects.toMatchObject({
      code: 'workspace_conflict',
      deletion: { index: 1 },
      message: expect.stringContaining(`it was deleted by run ${RUN}, call 1, attempt 1`),
    });
    const again = await files.write('x', text('new'), by(2, 0));
    expect(again.revision).toBeGreaterThan(revision);
    expect(await contentOf('x')).toBe('new');
  });

  it('must be at the revision that was looked at', async () => {
    const { revision } = await files.write('x', text('one'), by(0, 0));
    await files.write('x', text('two'), by(1, revision));
    await expect(files.delete('x', by(2, revision))).rejects.toMatchObject({ current: { entry: { index: 1 } } });
    await expect(files.delete('x', by(2, 0))).rejects.toBeInstanceOf(WorkspaceConflictError);
    await expect(files.delete('none', by(2, 0))).rejects.toThrow('it does not exist');
    await expect(files.delete('../x', by(2, 0))).rejects.toMatchObject({ code: 'path_outside_workspace' });
    expect(await contentOf('x')).toBe('two');
  });

  it('is deleted by exactly one of several calls, and of a deletion and a write one lands', async () => {
    const { revision } = await files.write('x', text('x'), by(0, 0));
    const deletions = await Promise.allSettled([1, 2, 3, 4].map((index) => files.delete('x', by(index, revision))));
    expect(deletions.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (let round = 0; round < 10; round++) {
      const path = `y${round}`;
      const old = await files.write(path, text('old'), by(0, 0));
      const [deleted, written] = await Promise.allSettled([
        files.delete(path, by(1, old.revision)),
        files.write(path, text('new'), by(2, old.revision)),
      ]);
      expect([deleted.status, written.status].sort()).toEqual(['fulfilled', 'rejected']);
      expect(await contentOf(path)).toBe(written.status === 'fulfilled' ? 'new' : undefined);
    }
  });

  it('is recognised by a retry of its call, and by no other call', async () => {
    const { revision } = await files.write('x', text('x'), by(0, 0));
    const deletion = await files.delete('x', { ...by(1, revision), meta: 'what it answered' });
    for (const expected of [0, revision]) {
      expect(await files.delete('x', by(1, expected, 2))).toEqual(deletion);
      await expect(files.delete('x', by(2, expected))).rejects.toBeInstanceOf(WorkspaceConflictError);
      const otherRun = { ...by(1, expected), run: '0-01ARZ3NDEKTSV4RRFFQ69G5FAX' };
      await expect(files.delete('x', otherRun)).rejects.toBeInstanceOf(WorkspaceConflictError);
    }
  });

  it('is deleted once when the answer of the index is lost, also where it is created again meanwhile', async () => {
    const index = await openFileIndex();
    const scope = { tenant: 't1', app: `app-${app}` };
    const { revision } = await files.write('x', text('x'), by(0, 0));
    const deletion = { ...(await deletionOf('other')), path: 'x' };
    own.network.loseAnswers();
    const at = await index.remove(scope, deletion, revision);
    expect(at).toBeGreaterThan(revision);
    expect(await files.head('x')).toBeUndefined();
    await files.write('x', text('new'), by(2, 0));
    expect(await index.remove(scope, deletion, revision)).toBe(revision);
    await expect(index.remove(scope, { ...deletion, change: 'another' }, revision)).rejects.toThrow('last written by');
    expect(await contentOf('x')).toBe('new');
  });

  it('leaves a mark in the index that goes away by itself', async () => {
    const { revision } = await files.write('x', text('x'), by(0, 0));
    await files.delete('x', by(1, revision));
    const jsm = await jetstreamManager(nc);
    const key = `$KV.${FILES_BUCKET}.t1.app-${app}.${Buffer.from('x').toString('base64url')}`;
    const stored = await jsm.streams.getMessage(`KV_${FILES_BUCKET}`, { last_by_subj: key });
    expect(stored?.header.get('Nats-TTL')).toBe('720h');
  });
});

describe('a file that is renamed', () => {
  it('has its content at the new path, and is absent at the old one', async () => {
    const before = await contents();
    const { revision } = await files.write('a', text('one\n'), { ...by(0, 0), meta: 'of the writer' });
    const moved = await files.rename('a', './b//c', { ...by(1, revision), meta: { from: 'a' } });
    expect(moved).toMatchObject({
      path: 'b/c',
      size: 4,
      lines: 1,
      run: RUN,
      index: 1,
      moved_from: 'a',
      meta: { from: 'a' },
    });
    expect(await files.head('a')).toBeUndefined();
    expect(await files.head('b/c')).toMatchObject({ revision: moved.revision, entry: { path: 'b/c' } });
    expect(await contentOf('b/c')).toBe('one\n');
    expect(await paths()).toEqual(['b/c']);
    expect(await contents()).toBe(before + 2);
  });

  it('may go on changing at both paths', async () => {
    const { revision } = await files.write('a', text('one'), by(0, 0));
    const moved = await files.rename('a', 'b', by(1, revision));
    await files.write('a', text('another'), by(2, 0));
    const next = await files.write('b', text('two'), by(3, moved.revision));
    await files.write('b', text('three'), by(4, next.revision));
    await workspace.idle();
    expect([await contentOf('a'), await contentOf('b')]).toEqual(['another', 'three']);
    const back = await files.rename('b', 'c', by(5, (await files.head('b'))!.revision));
    await files.rename('c', 'b', by(6, back.revision));
    expect([await contentOf('b'), await contentOf('c')]).toEqual(['three', undefined]);
  });

  it('replaces another file only if that one is as it was looked at', async () => {
    const a = await files.write('a', text('a'), by(0, 0));
    const b = await files.write('b', text('b'), by(1, 0));
    await expect(files.rename('a', 'b', by(2, a.revision))).rejects.toMatchObject({
      path: 'b',
      current: { entry: { index: 1 } },
    });
    await expect(
      files.rename('a', 'b', { ...by(2, a.revision + 9), expectedTargetRevision: b.revision }),
    ).rejects.toMatchObject({ path: 'a' });
    await expect(files.rename('none', 'b', by(2, 0))).rejects.toMatchObject({ path: 'none' });
    await expect(files.rename('a', 'a', by(2, a.revision))).rejects.toMatchObject({ code: 'invalid_arguments' });
    await expect(files.rename('a', '/etc/x', by(2, a.revision))).rejects.toMatchObject({
      code: 'path_outside_workspace',
    });
    expect([await contentOf('a'), await contentOf('b')]).toEqual(['a', 'b']);
    await files.rename('a', 'b', { ...by(2, a.revision), expectedTargetRevision: b.revision });
    expect([await contentOf('a'), await contentOf('b')]).toEqual([undefined, 'a']);
  });

  it('is at one path at any time, whatever happens to either of them meanwhile', async () => {
    for (let round = 0; round < 10; round++) {
      const [from, to] = [`from${round}`, `to${round}`];
      const { revision } = await files.write(from, text('mine'), by(0, 0));
      const [renamed, written, taken] = await Promise.allSettled([
        files.rename(from, to, by(1, revision)),
        files.write(from, text('changed'), by(2, revision)),
        files.write(to, text('theirs'), by(3, 0)),
      ]);
      const outcome = [await contentOf(from), await contentOf(to)];
      if (renamed.status === 'fulfilled') {
        expect([written.status, taken.status, ...outcome]).toEqual(['rejected', 'rejected', undefined, 'mine']);
      } else {
        expect(outcome).toEqual([
          written.status === 'fulfilled' ? 'changed' : 'mine',
          taken.status === 'fulfilled' ? 'theirs' : undefined,
        ]);
        expect([written.status, taken.status]).toContain('fulfilled');
      }
    }
  });

  it('is recognised by a retry of its call, also after somebody took the old path', async () => {
    const { revision } = await files.write('a', text('a'), by(0, 0));
    const moved = await files.rename('a', 'b', { ...by(1, revision), meta: 'answer' });
    for (const expected of [0, revision]) {
      expect(await files.rename('a', 'b', by(1, expected, 2))).toEqual(moved);
      await expect(files.rename('a', 'b', by(2, expected))).rejects.toBeInstanceOf(WorkspaceConflictError);
    }
    await expect(files.rename('a', 'c', by(1, 0, 2))).rejects.toBeInstanceOf(WorkspaceConflictError);
    await expect(files.delete('a', by(1, 0, 2))).rejects.toThrow(`it was renamed to b by run ${RUN}`);
    const other = await files.write('a', text('other'), by(5, 0));
    expect(await files.rename('a', 'b', by(1, other.revision, 2))).toEqual(moved);
    expect(await contentOf('a')).toBe('other');
  });

  it('is renamed once when the answer of the index is lost', async () => {
    const index = await openFileIndex();
    const scope = { tenant: 't1', app: `app-${app}` };
    const { revision, ...file } = await files.write('a', text('a'), by(0, 0));
    const { object: _, ...deletion } = { ...(await deletionOf('other')), path: 'a', moved_to: 'b' };
    const move = () =>
      index.move(
        scope,
        { deletion, revision },
        { entry: { ...file, path: 'b', change: deletion.change }, revision: 0 },
      );
    own.network.loseAnswers();
    const at = await move();
    expect(await files.head('b')).toMatchObject({ revision: at });
    expect(await paths()).toEqual(['b']);
    await files.write('b', text('b'), by(2, at));
    expect(await move()).toBe(0);
    await files.write('a', text('c'), by(3, 0));
    expect(await move()).toBe(0);
  });
});

describe('an index that was made before deletions were known', () => {
  it('gets its settings, and is named where they only are to be verified', async () => {
    const old = await startEphemeralNats();
    const client = await connect({ servers: old.url });
    try {
      const jsm = await jetstreamManager(client);
      await new Kvm(client).create(FILES_BUCKET, { history: 1, allow_direct: true });
      await expect(openWorkspace(client, { mode: 'verify' })).rejects.toThrow(/missing|allow_msg_ttl and allow_atomic/);
      await Promise.all([openWorkspace(client), openWorkspace(client)]);
      const { config } = await jsm.streams.info(`KV_${FILES_BUCKET}`);
      expect(config).toMatchObject({ allow_msg_ttl: true, allow_atomic: true, max_msgs_per_subject: 1 });
      await openWorkspace(client, { mode: 'verify' });
    } finally {
      await client.close();
      await old.stop();
    }
  });
});
