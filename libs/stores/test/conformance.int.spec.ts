import { createHash, randomBytes } from 'node:crypto';
import type { ArtifactRef } from '@toolstream/proto-events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AppWorkspace, ByteRange } from '../src/index.ts';
import { natsWorld, s3World, type World } from './fixtures/worlds.ts';

/** What every store of contents must do, run against a real server of each. */
const RUN = '0-01ARZ3NDEKTSV4RRFFQ69G5FAV';
const MIB = 1024 * 1024;
const tenant = 't1';
const by = (expectedRevision: number, index = 0) => ({ run: RUN, index, attempt: 1, expectedRevision });
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const same = (a: Uint8Array | undefined, b: Uint8Array) => a !== undefined && Buffer.from(a).equals(b);

async function collect(source: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source ?? []) parts.push(part);
  return Buffer.concat(parts);
}
async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe.each([
  ['NATS', natsWorld],
  ['S3', s3World],
])('contents in %s', (_name, open: () => Promise<World>) => {
  let world: World;
  let files: AppWorkspace;
  let app = 0;
  beforeAll(async () => {
    world = await open();
  });
  afterAll(() => world?.stop());
  beforeEach(() => {
    files = world.stores.workspace.at({ tenant, app: `app-${++app}` });
  });
  const stored = async () => {
    await world.stores.artifacts.idle();
    await world.stores.workspace.idle();
    return world.stored();
  };
  const newSince = async (before: string[]) => (await stored()).filter((name) => !before.includes(name));

  it.each([0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1])(
    'of %i bytes are read as they were put, also as a stream',
    async (size) => {
      const bytes = randomBytes(size);
      for (const source of [bytes, inPieces(bytes, 300_001)]) {
        const ref = await world.stores.artifacts.put(source, { tenant, run: RUN, kind: 'output' });
        expect(ref.$ref).toMatchObject({ bytes: size, sha256: sha256(bytes) });
        expect(same(await world.stores.artifacts.get(ref, { tenant }), bytes)).toBe(true);
        expect(same(await collect(await world.stores.artifacts.stream(ref, { tenant })), bytes)).toBe(true);
      }
    },
  );

  it.each([true, false])(
    'of 20 MiB report progress that only grows and ends at the total (known: %s)',
    async (known) => {
      const bytes = randomBytes(20 * MIB);
      const seen: [number, number | undefined][] = [];
      const entry = await files.write('big', known ? bytes : inPieces(bytes, 1_000_000), {
        ...by(0),
        onBytes: (written, total) => seen.push([written, total]),
      });
      expect(entry).toMatchObject({ size: bytes.length, sha256: sha256(bytes) });
      expect(seen.length).toBeGreaterThan(3);
      expect(seen.every(([written], at) => written > (seen[at - 1]?.[0] ?? 0))).toBe(true);
      expect(seen.at(-1)?.[0]).toBe(bytes.length);
      expect(new Set(seen.map(([, total]) => total))).toEqual(new Set([known ? bytes.length : undefined]));
      expect(same((await files.read('big'))?.bytes, bytes)).toBe(true);
      expect((await files.head('big'))?.entry.path).toBe('big');
    },
  );

  it('are read in ranges, which end where the content ends', async () => {
    const bytes = randomBytes(400_000);
    await files.write('f', bytes, by(0));
    const read = async (range: ByteRange) => collect((await files.stream('f'))?.chunks(range));
    for (const [start, end] of [
      [0, 1],
      [131_071, 131_073],
      [100_000, 300_000],
      [399_999, 400_000],
      [399_999, 500_000],
    ] as const) {
      expect(same(await read({ start, end }), bytes.subarray(start, end))).toBe(true);
    }
    expect(await read({ start: 400_000, end: 500_000 })).toHaveLength(0);
    expect(await read({ start: 7, end: 7 })).toHaveLength(0);
  });

  it('stop being read where the reader stops', async () => {
    await files.write('f', randomBytes(3 * MIB), by(0));
    for await (const chunk of (await files.stream('f'))!.chunks()) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect((await files.read('f'))?.bytes).toHaveLength(3 * MIB);
  });

  it('keep how many lines of text a file has', async () => {
    const text = Buffer.from('a line\n'.repeat(900_000));
    for (const [at, source] of [text, inPieces(text, 65_536), text.subarray(0, 70)].entries()) {
      const entry = await files.write(`t${at}`, source, by(0));
      expect(entry.lines).toBe(at === 2 ? 10 : 900_000);
    }
  });

  it('put by many at once are each whole, and the same value put by many is one', async () => {
    const before = await stored();
    const contents = Array.from({ length: 12 }, (_, at) => randomBytes(100_000 + at));
    const refs = await Promise.all(contents.map((bytes) => world.stores.artifacts.put(bytes, { tenant, kind: 'a' })));
    for (const [at, ref] of refs.entries()) {
      expect(same(await world.stores.artifacts.get(ref, { tenant }), contents[at]!)).toBe(true);
    }
    const one = (await newSince(before)).length / 12;
    const value = randomBytes(100_000);
    const between = await stored();
    const equal = await Promise.all(
      Array.from({ length: 5 }, () => world.stores.artifacts.put(value, { tenant, kind: 'b' })),
    );
    expect(new Set(equal.map((ref) => ref.$ref.artifact)).size).toBe(1);
    expect(await newSince(between)).toHaveLength(one);
    expect(same(await world.stores.artifacts.get(equal[0]!, { tenant }), value)).toBe(true);
  });

  it('of another tenant, of no name or of another content are nothing', async () => {
    const ref = await world.stores.artifacts.put(Buffer.from('"secret"'), { tenant, run: RUN, kind: 'result' });
    const { $ref } = ref;
    const get = (change: Partial<ArtifactRef['$ref']>, as = tenant) =>
      world.stores.artifacts.get({ $ref: { ...$ref, ...change } }, { tenant: as });
    expect(await get({})).toBeDefined();
    for (const as of ['t2', 't', 't1.x', 't1/', '']) {
      expect(await get({}, as)).toBeUndefined();
      expect(await world.stores.artifacts.resolve({ a: [ref] }, { tenant: as })).toEqual({ a: [ref] });
    }
    expect(await get({ bytes: 9 })).toBeUndefined();
    expect(await get({ sha256: '0'.repeat(64) })).toBeUndefined();
    const last = $ref.artifact.slice(tenant.length + 1);
    for (const artifact of [
      't2./../t1/x',
      `t2...t1.${last}`,
      `t2.../t1/${last}`,
      't2.',
      't2.%2e%2e',
      't2.x y',
      't2.ü',
    ]) {
      expect(await get({ artifact }, 't2')).toBeUndefined();
    }
  });

  it.each([100_000, 12 * MIB])(
    'of %i bytes whose writer aborts leave nothing, neither to see nor to pay for',
    async (size) => {
      const before = await stored();
      const bytes = randomBytes(size);
      const abort = new AbortController();
      async function* source() {
        yield* inPieces(bytes.subarray(0, size - 10), 1 << 20);
        abort.abort(new Error('cancelled'));
        yield bytes.subarray(size - 10);
      }
      await expect(files.write('x', source(), { ...by(0), signal: abort.signal })).rejects.toThrow('cancelled');
      const gone = AbortSignal.abort(new Error('too late'));
      await expect(files.write('x', bytes, { ...by(0), signal: gone })).rejects.toThrow('too late');
      expect(await files.head('x')).toBeUndefined();
      expect(await newSince(before)).toEqual([]);
    },
  );

  it('whose source fails leave nothing', async () => {
    const before = await stored();
    async function* source() {
      yield randomBytes(11 * MIB);
      throw new Error('the tool broke');
    }
    await expect(files.write('x', source(), by(0))).rejects.toThrow('the tool broke');
    expect(await newSince(before)).toEqual([]);
  });

  it('that were damaged are refused, never given', async () => {
    const bytes = randomBytes(90_000);
    const ref = await world.stores.artifacts.put(bytes, { tenant, run: RUN, kind: 'output' });
    await world.corrupt(bytes);
    await expect(world.stores.artifacts.get(ref, { tenant })).rejects.toMatchObject({ code: 'content_missing' });
    const stream = await world.stores.artifacts.stream(ref, { tenant });
    await expect(collect(stream)).rejects.toMatchObject({ code: 'content_missing' });
  });

  it.each([1_000, 11 * MIB])('of %i bytes whose answers are lost are stored once', async (size) => {
    const before = await stored();
    const bytes = randomBytes(size);
    world.loseAnswers();
    const ref = await world.stores.artifacts.put(bytes, { tenant, run: RUN, kind: 'result' });
    expect(same(await world.stores.artifacts.get(ref, { tenant }), bytes)).toBe(true);
    const after = await newSince(before);
    expect(await world.stores.artifacts.put(bytes, { tenant, run: RUN, kind: 'result' })).toEqual(ref);
    expect(await newSince(before)).toEqual(after);
    expect(after).toHaveLength(_name === 'S3' ? 1 : 1 + Math.ceil(size / (128 * 1024)));
  });

  it('of files are replaced, deleted and renamed without a trace', async () => {
    const before = await stored();
    for (const size of [10, 11 * MIB]) {
      const source = () => inPieces(randomBytes(size), 1 << 20);
      let { revision } = await files.write('f', source(), by(0));
      for (let time = 1; time < 4; time++) ({ revision } = await files.write('f', source(), by(revision, time)));
      ({ revision } = await files.rename('f', 'g', by(revision, 4)));
      expect((await files.read('g'))?.bytes).toHaveLength(size);
      await files.delete('g', by(revision, 5));
      expect(await files.list()).toEqual([]);
    }
    expect(await newSince(before)).toEqual([]);
  });

  it('have names that begin with the tenant', async () => {
    const { object } = await files.write('f', Buffer.from('x'), by(0));
    expect(object.startsWith(`${tenant}.${RUN}.0.1.`)).toBe(true);
    const { $ref } = await world.stores.artifacts.put(Buffer.from('x'), { tenant, run: RUN, kind: 'output' });
    expect($ref.artifact.startsWith(`${tenant}.${RUN}.output.`)).toBe(true);
  });
});
