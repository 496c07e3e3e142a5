import { fork } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { Objm } from '@nats-io/obj';
import { connect } from '@nats-io/transport-node';
import { MAX_PATH_BYTES } from '@toolstream/proto-events';
import { startEphemeralNats } from '@toolstream/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openContent } from '../src/buckets.ts';
import { KEPT_VERSIONS } from '../src/history.ts';
import {
  type AppWorkspace,
  FILES_BUCKET,
  openWorkspace,
  StoreFullError,
  StoreUnavailableError,
  WORKSPACE_BUCKET,
  type Workspace,
  WorkspaceConflictError,
} from '../src/index.ts';
import { type OwnNats, ownNats } from './fixtures/own-nats.ts';

const RUN = '0-01ARZ3NDEKTSV4RRFFQ69G5FAV';
const DIE = fileURLToPath(new URL('./fixtures/die-while-writing.ts', import.meta.url));
const text = (value: string) => Buffer.from(value);
const by = (attempt: number, expectedRevision: number, index = 0) => ({ run: RUN, index, attempt, expectedRevision });

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

const objects = async () => {
  await workspace.idle();
  const jsm = await jetstreamManager(nc);
  const { state } = await jsm.streams.info(`OBJ_${WORKSPACE_BUCKET}`, { subjects_filter: '>' });
  const subjects = Object.keys(state.subjects ?? {});
  const count = (letter: string) => subjects.filter((subject) => subject.split('.')[2] === letter).length;
  return { contents: count('C'), metas: count('M'), consumers: state.consumer_count };
};
const contentOf = async (path: string) => Buffer.from((await files.read(path))?.bytes ?? []).toString();

describe('a file of a workspace', () => {
  it('is read as it was written, with who wrote it', async () => {
    const written = await files.write('./src//main.ts', text('a\nb\n'), { ...by(2, 0, 7), meta: { replaced: 3 } });
    const read = await files.read('src/main.ts');
    expect(Buffer.from(read?.bytes ?? []).toString()).toBe('a\nb\n');
    expect(read?.revision).toBe(written.revision);
    expect(read?.entry).toMatchObject({
      path: 'src/main.ts',
      size: 4,
      lines: 2,
      sha256: createHash('sha256').update('a\nb\n').digest('hex'),
      run: RUN,
      index: 7,
      attempt: 2,
      meta: { replaced: 3 },
    });
    expect(await files.head('src/main.ts')).toEqual({ entry: read?.entry, revision: written.revision });
  });

  it('that does not exist is undefined, also in another app or tenant of the same path', async () => {
    await files.write('x', text('mine'), by(1, 0));
    expect(await files.read('y')).toBeUndefined();
    expect(await workspace.at({ tenant: 't2', app: `app-${app}` }).read('x')).toBeUndefined();
    expect(await workspace.at({ tenant: 't1', app: 'other' }).head('x')).toBeUndefined();
  });

  it('may be empty, and may have the longest path that is allowed', async () => {
    const path = 'é'.repeat(MAX_PATH_BYTES / 2);
    const own = workspace.at({ tenant: 't'.repeat(64), app: 'a'.repeat(64) });
    await own.write(path, new Uint8Array(), by(1, 0));
    expect((await own.read(path))?.bytes).toEqual(new Uint8Array());
    expect((await own.list()).map((entry) => entry.path)).toEqual([path]);
  });

  it('may be written from a stream, with progress that counts what the store has acknowledged', async () => {
    const parts = Array.from({ length: 5 }, () => randomBytes(100_000));
    const taken: number[] = [];
    const seen: [number, number | undefined][] = [];
    async function* source() {
      for (const part of parts) {
        taken.push(seen.at(-1)?.[0] ?? 0);
        yield part;
      }
    }
    const entry = await files.write('bin', source(), { ...by(1, 0), onBytes: (n, total) => seen.push([n, total]) });
    expect(seen).toEqual([131_072, 262_144, 393_216, 500_000].map((n) => [n, undefined]));
    expect(taken).toEqual([0, 0, 131_072, 262_144, 393_216]);
    expect(entry.sha256).toBe(createHash('sha256').update(Buffer.concat(parts)).digest('hex'));
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await files.stream('bin'))?.chunks() ?? []) chunks.push(chunk);
    expect(chunks.length).toBe(4);
    expect(Buffer.concat(chunks).equals(Buffer.concat(parts))).toBe(true);
  });

  it('is understood by the object store of any NATS client', async () => {
    const bytes = randomBytes(300_000);
    const { object } = await files.write('bin', bytes, by(1, 0));
    const store = await new Objm(nc).open(WORKSPACE_BUCKET);
    expect(Buffer.from((await store.getBlob(object)) ?? []).equals(bytes)).toBe(true);
  });

  it('is not written when the writer aborts, and leaves nothing behind', async () => {
    const before = await objects();
    const abort = new AbortController();
    const write = files.write('big', new Uint8Array(1024 * 1024), {
      ...by(1, 0),
      signal: abort.signal,
      onBytes: () => abort.abort(new Error('cancelled')),
    });
    await expect(write).rejects.toThrow('cancelled');
    expect(await files.head('big')).toBeUndefined();
    expect((await objects()).contents).toBe(before.contents);
  });

  it('leaves no consumer behind, however often it is read and listed', async () => {
    await files.write('x', text('x'), by(1, 0));
    for (let i = 0; i < 30; i++) {
      await files.read('x');
      await files.list();
    }
    const kv = await (await jetstreamManager(nc)).streams.info(`KV_${FILES_BUCKET}`);
    expect([(await objects()).consumers, kv.state.consumer_count]).toEqual([expect.any(Number), 0]);
    expect((await objects()).consumers).toBeLessThanOrEqual(1);
  });

  it('larger than asked for is refused before it is read', async () => {
    await files.write('x', text('12345'), by(1, 0));
    await expect(files.read('x', { maxBytes: 4 })).rejects.toMatchObject({ code: 'content_too_large' });
  });
});

describe('the list of files', () => {
  it('is in order of the paths, by prefix, in pages', async () => {
    const paths = ['b/2', 'a', 'b/10', 'b/1', 'c', 'b'];
    for (const path of paths) await files.write(path, text(path), by(1, 0));
    const { revision } = (await files.head('a'))!;
    await files.write('a', text('new'), by(1, revision));
    const list = async (...args: Parameters<AppWorkspace['list']>) => (await files.list(...args)).map((e) => e.path);
    expect(await list()).toEqual(['a', 'b', 'b/1', 'b/10', 'b/2', 'c']);
    expect(await list('b/')).toEqual(['b/1', 'b/10', 'b/2']);
    expect(await list('', { limit: 2 })).toEqual(['a', 'b']);
    expect(await list('', { limit: 3, after: 'b' })).toEqual(['b/1', 'b/10', 'b/2']);
    expect(await list('nothing')).toEqual([]);
    expect((await files.list('a'))[0]?.size).toBe(3);
  });

  it('goes beyond one page of the server', async () => {
    const names = Array.from({ length: 1_100 }, (_, i) => `f${String(i).padStart(4, '0')}`);
    for (let at = 0; at < names.length; at += 100) {
      await Promise.all(names.slice(at, at + 100).map((name) => files.write(name, text(name), by(1, 0))));
    }
    const first = await files.list();
    const rest = await files.list('', { after: first.at(-1)!.path });
    expect([...first, ...rest].map((entry) => entry.path)).toEqual(names);
  });
});

describe('of two writers from the same revision', () => {
  it('exactly one wins, whichever order they come in, and the loser leaves nothing', async () => {
    const first = await files.write('f', text('v0'), by(1, 0));
    const before = await objects();
    const writers = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => files.write('f', text(`v1 of ${i}`), by(1, first.revision, i))),
    );
    const won = writers.filter((result) => result.status === 'fulfilled');
    const lost = writers.filter((result) => result.status === 'rejected');
    expect([won.length, lost.length]).toEqual([1, 7]);
    for (const { reason } of lost) expect(reason).toBeInstanceOf(WorkspaceConflictError);
    expect(await contentOf('f')).toBe(`v1 of ${won[0]?.value.index}`);
    expect(await objects()).toEqual({ ...before, contents: before.contents + 1, metas: before.metas + 1 });
  });

  it('exactly one creates a file that must not exist', async () => {
    const writers = await Promise.allSettled([0, 1, 2].map((i) => files.write('new', text(`${i}`), by(1, 0, i))));
    expect(writers.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a zombie, replaced by a second attempt of its call,', () => {
  it('never lands a write, and learns who has written', async () => {
    const { revision } = await files.write('code.ts', text('one'), by(1, 0));
    const zombieRead = await files.read('code.ts');
    const second = await files.write('code.ts', text('two'), by(2, revision));
    const late = files.write('code.ts', text('one one'), by(1, zombieRead!.revision));
    await expect(late).rejects.toMatchObject({
      code: 'workspace_conflict',
      current: { revision: second.revision, entry: { attempt: 2 } },
    });
    expect(await contentOf('code.ts')).toBe('two');
  });

  it('is noticed by the retry when its write had landed just before: the retry finds its own call as last writer', async () => {
    const { revision } = await files.write('code.ts', text('foo'), {
      ...by(1, 0),
      run: '0-01ARZ3NDEKTSV4RRFFQ69G5FAX',
    });
    await files.write('code.ts', text('bar'), { ...by(1, revision, 3), meta: { replacements: 1 } });
    // Here attempt 1 dies before its `tool.succeeded` is appended. Attempt 2 of the same call starts:
    const found = await files.head('code.ts');
    expect(found?.entry).toMatchObject({ run: RUN, index: 3, attempt: 1, meta: { replacements: 1 } });
    // Had it read before attempt 1 wrote, the conflict would show it the same entry.
    const late = files.write('code.ts', text('bar'), by(2, revision, 3));
    await expect(late).rejects.toMatchObject({ current: { entry: { run: RUN, index: 3, meta: { replacements: 1 } } } });
  });
});

describe('an executor that is killed', () => {
  it.each(['half', 'all'])(
    'when %s of the content is stored leaves the old file, and a retry writes the new one',
    async (when) => {
      const mine = workspace.at({ tenant: 't1', app: 'a1' });
      const before = await mine.head('big.bin');
      const revision = before?.revision ?? 0;
      if (when === 'half') await mine.write('big.bin', text('old'), by(1, revision, 9));
      const old = await mine.read('big.bin');
      const child = fork(DIE, [own.nats.url, when], { execArgv: ['--conditions=toolstream', '--import', 'tsx'] });
      const [code, signal] = await once(child, 'exit');
      expect([code, signal]).toEqual([null, 'SIGKILL']);
      expect(await mine.read('big.bin')).toEqual(old);
      const bytes = new Uint8Array(200_000).fill(2);
      await mine.write('big.bin', bytes, by(2, old!.revision));
      expect(Buffer.from((await mine.read('big.bin'))!.bytes).equals(bytes)).toBe(true);
    },
  );
});

describe('an update of the index', () => {
  it('that is repeated because its answer was lost is recognised as its own', async () => {
    const { FileIndex } = await import('../src/file-index.ts');
    const index = await FileIndex.over(nc, await new Kvm(nc).open(FILES_BUCKET, { allow_direct: false }));
    const scope = { tenant: 't1', app: `app-${app}` };
    const { revision: _, ...entry } = await files.write('f', text('x'), by(1, 0));
    const { revision } = (await files.head('f'))!;
    expect(await index.replace(scope, entry, 0)).toBe(revision);
    await files.write('f', text('y'), by(1, revision, 1));
    expect(await index.replace(scope, entry, 0)).toBe(0);
    await expect(index.replace(scope, { ...entry, object: 'other' }, 0)).rejects.toBeInstanceOf(WorkspaceConflictError);
  });

  it('can create a file again that an operator deleted', async () => {
    await files.write('f', text('x'), by(1, 0));
    const kv = await new Kvm(nc).open(FILES_BUCKET, { allow_direct: false });
    await kv.delete(`t1.app-${app}.${Buffer.from('f').toString('base64url')}`);
    expect(await files.read('f')).toBeUndefined();
    expect(await files.list()).toEqual([]);
    await files.write('f', text('again'), by(1, 0));
    expect(await contentOf('f')).toBe('again');
  });
});

describe('contents that were replaced', () => {
  it('are kept as the history of the file, then deleted without a trace', async () => {
    const before = await objects();
    let revision = 0;
    for (let version = 1; version <= KEPT_VERSIONS + 4; version++) {
      ({ revision } = await files.write('f', text(`v${version}`), by(1, revision)));
    }
    const kept = KEPT_VERSIONS + 1;
    expect(await objects()).toEqual({ ...before, contents: before.contents + kept, metas: before.metas + kept });
    expect(await contentOf('f')).toBe(`v${KEPT_VERSIONS + 4}`);
  });

  it('do not disturb a reader of the version before', async () => {
    const old = randomBytes(400_000);
    const first = await files.write('f', old, by(1, 0));
    const stream = await files.stream('f');
    await files.write('f', text('new'), by(1, first.revision));
    await workspace.idle();
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream!.chunks()) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(old)).toBe(true);
  });

  it('make a reader of an older version fail rather than get half of it', async () => {
    let { revision } = await files.write('f', randomBytes(400_000), by(1, 0));
    const reader = (await files.stream('f'))!.chunks()[Symbol.asyncIterator]();
    await reader.next();
    for (let version = 1; version <= KEPT_VERSIONS + 1; version++) {
      ({ revision } = await files.write('f', text(`v${version}`), by(1, revision)));
    }
    await workspace.idle();
    const drain = async () => {
      while (!(await reader.next()).done);
    };
    await expect(drain()).rejects.toMatchObject({ code: 'content_missing' });
  });
});

describe('when the server is killed and comes back', () => {
  it('a write under way, from memory or from a stream, ends well and holds every byte once', async () => {
    const killed = await startEphemeralNats();
    const client = await connect({ servers: killed.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    try {
      const mine = (await openWorkspace(client)).at({ tenant: 't1', app: 'a1' });
      const bytes = randomBytes(12 * 1024 * 1024);
      let restart: Promise<void> | undefined;
      const onBytes = (written: number) => {
        if (written > 2_000_000) restart ??= killed.kill9().then(() => killed.restart());
      };
      async function* source() {
        for (let at = 0; at < bytes.length; at += 70_000) yield bytes.subarray(at, at + 70_000);
      }
      await Promise.all([
        mine.write('a', bytes, { ...by(1, 0), onBytes }),
        mine.write('b', source(), { ...by(1, 0), onBytes }),
      ]);
      expect(restart).toBeDefined();
      await restart;
      for (const path of ['a', 'b']) expect(Buffer.from((await mine.read(path))!.bytes).equals(bytes)).toBe(true);
    } finally {
      await client.close();
      await killed.stop();
    }
  });
});

describe('a store without room', () => {
  it('says so at once, keeps the old file and takes the half-written content away', async () => {
    const killed = await startEphemeralNats();
    const client = await connect({ servers: killed.url });
    try {
      const full = await openWorkspace(client);
      const jsm = await jetstreamManager(client);
      await jsm.streams.update(`OBJ_${WORKSPACE_BUCKET}`, { max_bytes: 500_000 });
      const mine = full.at({ tenant: 't1', app: 'a1' });
      const { revision } = await mine.write('f', text('old'), by(1, 0));
      const write = mine.write('f', randomBytes(2_000_000), by(1, revision));
      await expect(write).rejects.toBeInstanceOf(StoreFullError);
      expect(Buffer.from((await mine.read('f'))!.bytes).toString()).toBe('old');
      await full.idle();
      expect((await jsm.streams.info(`OBJ_${WORKSPACE_BUCKET}`)).state.bytes).toBeLessThan(5_000);
    } finally {
      await client.close();
      await killed.stop();
    }
  });
});

describe('buckets', () => {
  it('that only are to be verified are named when they are missing', async () => {
    const missing = openContent(nc, 'TS_NOWHERE', 'x', { mode: 'verify' });
    await expect(missing).rejects.toThrow(/OBJ_TS_NOWHERE is missing/);
    await expect(missing).rejects.toBeInstanceOf(StoreUnavailableError);
    await openWorkspace(nc, { mode: 'verify' });
  });

  it('are the same when several services create them at once', async () => {
    const killed = await startEphemeralNats();
    const clients = await Promise.all([0, 1, 2].map(() => connect({ servers: killed.url })));
    try {
      const opened = await Promise.all(clients.map((client) => openWorkspace(client)));
      await opened[0]!.at({ tenant: 't', app: 'a' }).write('f', text('x'), by(1, 0));
      expect(await opened[2]!.at({ tenant: 't', app: 'a' }).head('f')).toBeDefined();
    } finally {
      await Promise.all(clients.map((client) => client.close()));
      await killed.stop();
    }
  });
});
