import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KEPT_BYTES, KEPT_VERSIONS } from '../src/history.ts';
import { type AppWorkspace, openWorkspace, type Workspace } from '../src/index.ts';
import { type OwnNats, ownNats } from './fixtures/own-nats.ts';

const [A, B, C] = ['A', 'B', 'C'].map((last) => `0-01ARZ3NDEKTSV4RRFFQ69G5FA${last}`) as [string, string, string];
const text = (value: string) => Buffer.from(value);
const by = (run: string, index: number, expectedRevision: number) => ({ run, index, attempt: 1, expectedRevision });

let own: OwnNats;
let workspace: Workspace;
let files: AppWorkspace;
let app = 0;
beforeAll(async () => {
  own = await ownNats();
  workspace = await openWorkspace(own.nc);
});
afterAll(() => own?.stop());
beforeEach(() => {
  files = workspace.at({ tenant: 't1', app: `app-${++app}` });
});

const write = async (path: string, content: string | Uint8Array, run: string, index = 0) => {
  const revision = (await files.head(path))?.revision ?? 0;
  const bytes = typeof content === 'string' ? text(content) : content;
  return files.write(path, bytes, by(run, index, revision));
};
const read = async (path: string, version: string | undefined) => {
  await workspace.idle();
  const opened = version === undefined ? undefined : await files.openVersion(path, version);
  if (opened === undefined) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of opened.chunks()) parts.push(part);
  return Buffer.concat(parts).toString();
};
const told = async (run: string) =>
  (await files.changes(run)).map(({ change, path, index }) => `${change} ${path} by ${index}`);

describe('what a run changed', () => {
  it('is told for each call, with the contents before and after it', async () => {
    await write('src/a.ts', 'one\n', A, 0);
    await write('src/a.ts', 'two\n', B, 1);
    await write('src/a.ts', 'three\n', B, 2);
    await write('src/b.ts', 'new\n', B, 3);
    await write('src/a.ts', 'four\n', C, 0);
    expect(await told(A)).toEqual(['created src/a.ts by 0']);
    expect(await told(B)).toEqual(['changed src/a.ts by 1', 'changed src/a.ts by 2', 'created src/b.ts by 3']);
    const [first, second, created] = await files.changes(B);
    expect([await read('src/a.ts', first?.before?.version), await read('src/a.ts', first?.after?.version)]).toEqual([
      'one\n',
      'two\n',
    ]);
    expect(second).toMatchObject({ before: first?.after, after: { size: 6, lines: 1 }, held_at: 'src/a.ts' });
    expect(created?.before).toBeUndefined();
    expect(await told('0-01ARZ3NDEKTSV4RRFFQ69G5FAX')).toEqual([]);
  });

  it('tells of a deletion after the contents are gone, and of what was there before it', async () => {
    const { revision } = await write('x', 'secret', A);
    await files.delete('x', by(B, 4, revision));
    const [deletion] = await files.changes(B);
    expect(deletion).toMatchObject({ change: 'deleted', path: 'x', index: 4, before: { size: 6 } });
    expect(deletion?.before?.version).toBeUndefined();
    expect(await told(A)).toEqual(['created x by 0']);
    await write('x', 'again', C);
    expect([await told(A), await told(B), await told(C)]).toEqual([
      ['created x by 0'],
      ['deleted x by 4'],
      ['created x by 0'],
    ]);
  });

  it('follows a file that is renamed, whose older versions then lie at its new path', async () => {
    await write('a', 'one', A);
    const { revision } = await write('a', 'two', B, 1);
    await files.rename('a', 'b', by(B, 2, revision));
    await write('b', 'three', C);
    expect(await told(A)).toEqual(['created a by 0']);
    const changes = await files.changes(B);
    expect(changes.map(({ change, path, moved_from }) => [change, path, moved_from])).toEqual([
      ['changed', 'a', undefined],
      ['renamed', 'b', 'a'],
    ]);
    const [changed, renamed] = changes;
    expect(changed?.held_at).toBe('b');
    expect([await read('b', changed?.before?.version), await read('b', renamed?.after?.version)]).toEqual([
      'one',
      'two',
    ]);
    expect((await files.changes(C))[0]?.before).toEqual(renamed?.after);
  });

  it('is asked of one app and tenant, and a version of one path only', async () => {
    const { object } = await write('x', 'mine', A);
    const other = workspace.at({ tenant: 't2', app: `app-${app}` });
    expect(await other.changes(A)).toEqual([]);
    await other.write('x', text('theirs'), by(A, 0, 0));
    expect(await other.openVersion('x', object)).toBeUndefined();
    await write('y', 'y', A);
    expect(await files.openVersion('y', object)).toBeUndefined();
    expect(await read('x', object)).toBe('mine');
  });
});

describe('the history of a file', () => {
  it('is bounded in versions, newest kept', async () => {
    for (let i = 0; i < KEPT_VERSIONS + 3; i++) await write('f', `v${i}`, A, i);
    const versions = await files.versions('f');
    expect(versions).toHaveLength(KEPT_VERSIONS + 1);
    expect(versions.map(({ change }) => change)).not.toContain('created');
    expect(versions[0]).toMatchObject({ index: KEPT_VERSIONS + 2 });
    expect(await read('f', versions.at(-1)?.after?.version)).toBe('v2');
  });

  it('is bounded in bytes: older contents are let go, and who wrote them is still told', async () => {
    const half = new Uint8Array(KEPT_BYTES / 2);
    for (let i = 0; i < 6; i++) await write('f', half, A, i);
    const versions = await files.versions('f');
    expect(versions.map(({ after }) => after?.version !== undefined)).toEqual([true, true, true, true, false, false]);
    expect(versions.map(({ index }) => index)).toEqual([5, 4, 3, 2, 1, 0]);
    expect(versions.at(-1)).toMatchObject({ change: 'created', after: { size: half.length } });
  });

  it('begins where the file was created again', async () => {
    const { revision } = await write('f', 'one', A);
    await files.delete('f', by(B, 0, revision));
    await write('f', 'two', C);
    expect((await files.versions('f')).map(({ change, run }) => [change, run])).toEqual([
      ['created', C],
      ['deleted', B],
      ['created', A],
    ]);
    expect(await files.versions('never')).toEqual([]);
  });
});
