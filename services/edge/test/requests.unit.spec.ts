import type { Json, RequestedCall } from '@toolstream/proto-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../src/problems.ts';
import { commandId, frameCommandId, idempotencyKey } from '../src/requests/idempotency.ts';
import { canonicalJson, MAX_JSON_DEPTH, requireShallow } from '../src/requests/json.ts';
import { parseSubmission, requestHash, storeLargeArguments } from '../src/requests/submission.ts';

const submission = (...tool_calls: unknown[]) => parseSubmission({ app: 'a', tool_calls });

describe('canonical JSON', () => {
  it('is one text for equal values, and another for others', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value as Json);
        expect(canonicalJson(shuffled(value as Json))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 200, seed: 3 },
    );
    expect(canonicalJson({ b: 1, a: [1, { d: 1, c: 2 }] })).toBe('{"a":[1,{"c":2,"d":1}],"b":1}');
  });

  it('is asked for bounded depth only', () => {
    const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;
    expect(() => requireShallow(nested(MAX_JSON_DEPTH), 'x')).not.toThrow();
    expect(() => requireShallow(nested(MAX_JSON_DEPTH + 2), 'x')).toThrow(Refusal);
    expect(() => requireShallow(nested(1_000_000), 'x')).toThrow(Refusal);
  });
});

describe('the request hash', () => {
  const native = { id: 'a', name: 't', arguments: { x: [1, 'ü'], y: null } };
  it('does not depend on the wire shape', () => {
    const shapes = [
      native,
      { id: 'a', type: 'function', function: { name: 't', arguments: JSON.stringify({ y: null, x: [1, 'ü'] }) } },
      { type: 'tool_use', id: 'a', name: 't', input: { y: null, x: [1, 'ü'] } },
    ];
    expect(new Set(shapes.map((call) => requestHash(submission(call)))).size).toBe(1);
    const empty = [
      { id: 'a', name: 't' },
      { id: 'a', type: 'function', function: { name: 't', arguments: '' } },
      { type: 'tool_use', id: 'a', name: 't', input: {} },
    ];
    expect(new Set(empty.map((call) => requestHash(submission(call)))).size).toBe(1);
  });

  it('changes with everything that was asked for', () => {
    const asked = { app: 'a', tool_calls: [native, { ...native, id: 'b' }] };
    const others = [
      asked,
      { ...asked, app: 'b' },
      { ...asked, message_id: 'm' },
      { ...asked, mode: 'parallel' },
      { ...asked, priority: 'high' },
      { ...asked, tool_calls: [...asked.tool_calls].reverse() },
      { ...asked, tool_calls: [native, { ...native, id: 'b', depends_on: ['a'] }] },
      { ...asked, tool_calls: [native, { ...native, id: 'b', timeout_ms: 5 }] },
      { ...asked, tool_calls: [native, { ...native, id: 'b', arguments: { x: [1, 'u'], y: null } }] },
      { ...asked, tool_calls: [native, { ...native, id: 'b', arguments: '{"x":' }] },
    ];
    const hashes = others.map((body) => requestHash(parseSubmission(body)));
    expect(new Set(hashes).size).toBe(others.length);
    expect(requestHash(parseSubmission(asked), { run: 'r', from: 0 })).not.toBe(hashes[0]);
    expect(requestHash(parseSubmission({ ...asked, mode: 'sequential', priority: 'normal' }))).toBe(hashes[0]);
  });
});

describe('a submission', () => {
  it('never mixes up the arguments of its calls', () => {
    const { calls } = submission(
      { id: 'a', name: 't', arguments: { n: 0 } },
      { id: 'b', type: 'function', function: { name: 't', arguments: '{"n":1}' } },
      { id: 'c', type: 'tool_use', name: 't', input: { n: 2 } },
      { id: 'd', name: 't' },
    );
    expect(calls.map((call) => call.arguments)).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }, {}]);
  });

  it('is refused with the fields that are wrong, of the shape that was meant', () => {
    const fieldsOf = (call: unknown) => {
      try {
        submission(call);
      } catch (error) {
        return (error as Refusal).fields?.map((field) => field.path);
      }
      return [];
    };
    expect(fieldsOf({ id: '', name: 't' })).toEqual(['tool_calls[0].id']);
    expect(fieldsOf({ id: 'a', name: 't', depends_on: 'b' })).toEqual(['tool_calls[0].depends_on']);
    expect(fieldsOf({ id: 'a', type: 'function', function: {} })).toEqual(['tool_calls[0].function.name']);
    expect(fieldsOf({ type: 'tool_use', id: 5, name: 't' })).toEqual(['tool_calls[0].id']);
    expect(fieldsOf(null)).toEqual(['tool_calls[0]']);
  });
});

describe('large arguments', () => {
  const call = (at: number, size: number): RequestedCall => ({
    call_id: `c${at}`,
    name: 't',
    arguments: { text: 'x'.repeat(size) },
    depends_on: [],
  });
  const store = { putJsonIfLarge: async (value: Json) => ({ $ref: JSON.stringify(value).length }) as unknown as Json };
  const stored = async (sizes: number[], description = 0) => {
    const calls = await storeLargeArguments(
      sizes.map((size, at) => call(at, size)),
      't1',
      store,
      () => description,
    );
    return calls.flatMap((given, at) =>
      given.arguments !== null && typeof given.arguments === 'object' && '$ref' in given.arguments ? [at] : [],
    );
  };

  it('stay where they are while each and all of them are small enough', async () => {
    expect(await stored([10, 32_000, 100])).toEqual([]);
    expect(await stored([10, 33_000, 100])).toEqual([1]);
  });

  it('leave largest first until the event fits, counting what the plan adds', async () => {
    expect(await stored(Array.from({ length: 9 }, () => 30_000).with(4, 31_000))).toEqual([4]);
    expect(await stored(Array.from({ length: 8 }, () => 20_000))).toEqual([]);
    expect(await stored(Array.from({ length: 8 }, () => 20_000).with(2, 20_001), 16_000)).toContain(2);
  });
});

describe('ids of commands', () => {
  it('are new without a key, and the same for the same key, command, tool and caller', () => {
    expect(commandId('pause', undefined, 'u', undefined)).not.toBe(commandId('pause', undefined, 'u', undefined));
    const one = commandId('pause', undefined, 'u', 'k');
    expect(commandId('pause', undefined, 'u', 'k')).toBe(one);
    const others = [
      commandId('resume', undefined, 'u', 'k'),
      commandId('pause', 0, 'u', 'k'),
      commandId('pause', undefined, 'v', 'k'),
      commandId('pause', undefined, 'u', 'l'),
    ];
    expect(new Set([one, ...others]).size).toBe(5);
  });

  it('that are short belong to their connection', () => {
    const at = (session: string, id: string) => frameCommandId('pause', undefined, { sub: 'u', session }, id);
    expect(at('s1', 'c1')).not.toBe(at('s2', 'c1'));
    expect(at('s1', 'x'.repeat(16))).toBe(at('s2', 'x'.repeat(16)));
  });

  it('come from keys of 1 to 255 printable ASCII characters', () => {
    expect(idempotencyKey(undefined)).toBeUndefined();
    expect(idempotencyKey('k'.repeat(255))).toHaveLength(255);
    for (const bad of ['', 'k'.repeat(256), 'ü', 'a\tb']) expect(() => idempotencyKey(bad)).toThrow(Refusal);
  });
});

function shuffled(value: Json): Json {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, shuffled(member)]),
  );
}
