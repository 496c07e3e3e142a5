import type { ToolListing } from '@toolstream/client';
import { describe, expect, it } from 'vitest';
import { policyOf } from '../../src/views/tools/model/policy.ts';
import { schemaFields } from '../../src/views/tools/model/schema-fields.ts';
import { chosenRows, type ToolFigures, type ToolRow, toolRows } from '../../src/views/tools/model/tool-rows.ts';
import { trendRows } from '../../src/views/tools/model/trend.ts';
import { toolsSearch } from '../../src/views/tools/search.ts';

const listing = (name: string, over: Partial<ToolListing> = {}): ToolListing => ({
  name,
  description: `Does ${name}.`,
  pool: 'default',
  input_schema: { type: 'object' },
  idempotent: true,
  destructive: false,
  approval: 'never',
  timeout_ms: 60_000,
  isolation: 'thread',
  retries: { max_attempts: 3, initial_ms: 100, factor: 2, max_ms: 1_000 },
  ...over,
});
const figures = (name: string, over: Partial<ToolFigures> = {}): ToolFigures => ({
  name,
  runs: 10,
  succeeded: 9,
  failed: 1,
  success_rate: 0.9,
  duration_p50_ms: 10,
  duration_p95_ms: 20,
  queue_p50_ms: 1,
  queue_p95_ms: 2,
  ...over,
});

describe('The tools', () => {
  const rows = toolRows(
    [listing('grep'), listing('write', { pool: 'disk' }), listing('write', { pool: 'default' }), listing('idle')],
    [
      figures('grep', { runs: 3, failed: 0, success_rate: 1, duration_p95_ms: 500 }),
      figures('write', { runs: 20, failed: 4, success_rate: 0.8, queue_p95_ms: 90 }),
      figures('renamed', { runs: 1, failed: 1, success_rate: 0, duration_p95_ms: null }),
    ],
  );
  const names = (found: readonly ToolRow[]) => found.map(({ name }) => name);

  it('are one row a name, whatever their pools, with those that are called but not announced', () => {
    expect(names(rows)).toEqual(['grep', 'write', 'idle', 'renamed']);
    expect(rows[1]).toMatchObject({ pools: ['disk', 'default'], figures: { runs: 20 } });
    expect(rows[2]?.figures).toBeUndefined();
    expect(rows[3]).toMatchObject({ definitions: [], pools: [] });
  });

  it('are found by every word of the search, in names, descriptions and pools', () => {
    expect(names(chosenRows(rows, { q: 'DOES  write' }))).toEqual(['write']);
    expect(names(chosenRows(rows, { q: 'disk' }))).toEqual(['write']);
    expect(names(chosenRows(rows, { q: 'nothing like it' }))).toEqual([]);
    expect(names(chosenRows(rows, { pool: 'default' }))).toEqual(['grep', 'idle', 'write']);
  });

  it('are filtered by what happened to them', () => {
    expect(names(chosenRows(rows, { show: 'called' }))).toEqual(['grep', 'renamed', 'write']);
    expect(names(chosenRows(rows, { show: 'failing' }))).toEqual(['renamed', 'write']);
    expect(names(chosenRows(rows, { show: 'gone' }))).toEqual(['renamed']);
  });

  it('are sorted with what was not measured last', () => {
    expect(names(chosenRows(rows, { sort: 'calls' }))).toEqual(['write', 'grep', 'renamed', 'idle']);
    expect(names(chosenRows(rows, { sort: 'success' }))).toEqual(['renamed', 'write', 'grep', 'idle']);
    expect(names(chosenRows(rows, { sort: 'slow' }))).toEqual(['grep', 'write', 'idle', 'renamed']);
    expect(names(chosenRows(rows, { sort: 'queue' }))).toEqual(['write', 'grep', 'renamed', 'idle']);
  });
});

describe('A trend', () => {
  it('has every part of the window, with gaps where nothing ended', () => {
    const rows = trendRows(
      [
        {
          at: '2026-01-01T00:02:00.000Z',
          ...{ runs: 3, succeeded: 1, failed: 1 },
          ...{ duration_p50_ms: 5, duration_p95_ms: null, queue_p50_ms: 1, queue_p95_ms: 1 },
        },
      ],
      { until: Date.parse('2026-01-01T00:03:30Z'), windowMs: 180_000, bucketMs: 60_000 },
    );
    expect(rows.map(({ at }) => new Date(at).toISOString().slice(14, 19))).toEqual([
      '00:00',
      '01:00',
      '02:00',
      '03:00',
    ]);
    expect(rows[2]).toMatchObject({ succeeded: 1, failed: 1, cancelled: 1, duration_p50_ms: 5 });
    expect(rows[2]?.duration_p95_ms).toBeUndefined();
    expect(rows[0]).toMatchObject({ succeeded: 0, failed: 0, cancelled: 0 });
    expect(rows[0]?.queue_p50_ms).toBeUndefined();
  });
});

describe('A schema', () => {
  it('is read as fields with types, defaults and limits', () => {
    const { fields, cut, open } = schemaFields({
      type: 'object',
      required: ['path', 'edits'],
      additionalProperties: false,
      properties: {
        path: { type: 'string', description: ' Where. ', minLength: 1, maxLength: 200, pattern: '^[a-z]+$' },
        mode: { enum: ['a', 'b'], default: 'a' },
        limit: { type: ['integer', 'null'], minimum: 0, exclusiveMaximum: 10, maximum: Number.MAX_SAFE_INTEGER },
        when: { type: 'string', format: 'date-time' },
        edits: {
          type: 'array',
          minItems: 1,
          items: { type: 'object', required: ['line'], properties: { line: { type: 'integer' }, text: {} } },
        },
      },
    });
    expect(cut).toBe(false);
    expect(open).toBe(false);
    expect(fields).toEqual([
      {
        path: 'path',
        type: 'string',
        required: true,
        description: 'Where.',
        limits: ['at least 1 character', 'at most 200 characters', 'matches ^[a-z]+$'],
      },
      { path: 'mode', type: '"a" or "b"', required: false, fallback: '"a"', limits: [] },
      { path: 'limit', type: 'integer or null', required: false, limits: ['at least 0', 'less than 10'] },
      { path: 'when', type: 'date-time', required: false, limits: [] },
      { path: 'edits', type: 'list of object', required: true, limits: ['at least 1 of them'] },
      { path: 'edits[].line', type: 'integer', required: true, limits: [] },
      { path: 'edits[].text', type: 'anything', required: false, limits: [] },
    ]);
  });

  it('is followed along its references, also where they go round in a circle', () => {
    const { fields, cut } = schemaFields({
      $ref: '#/$defs/node',
      $defs: {
        node: { type: 'object', properties: { next: { $ref: '#/$defs/node' }, name: { $ref: '#/$defs/na~1me' } } },
        'na/me': { type: 'string', maxLength: 3 },
        loop: { $ref: '#/$defs/loop' },
      },
    });
    expect(cut).toBe(true);
    expect(fields.slice(0, 2).map(({ path, type }) => [path, type])).toEqual([
      ['next', 'object'],
      ['next.next', 'object'],
    ]);
    expect(fields.find(({ path }) => path === 'name')).toMatchObject({
      type: 'string',
      limits: ['at most 3 characters'],
    });
    expect(
      schemaFields({ properties: { a: { $ref: '#/$defs/loop' } }, $defs: { loop: { $ref: '#/$defs/loop' } } }).fields,
    ).toHaveLength(1);
    expect(schemaFields({ properties: { a: { $ref: 'https://elsewhere.example' } } }).fields).toHaveLength(1);
  });

  it('shows alternatives, and stops at what no page could hold', () => {
    const either = schemaFields({
      anyOf: [
        { properties: { url: { type: 'string' } } },
        { properties: { file: { oneOf: [{ type: 'string' }, { type: 'number' }] }, url: { type: 'number' } } },
      ],
    });
    expect(either.fields.map(({ path, type }) => [path, type])).toEqual([
      ['url', 'string'],
      ['file', 'string or number'],
    ]);
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}`, { type: 'string' }]));
    expect(schemaFields({ properties: many })).toMatchObject({ cut: true });
    expect(schemaFields({ properties: many }).fields).toHaveLength(200);
    expect(schemaFields({ type: 'object', properties: 7, required: 'x' }).fields).toEqual([]);
  });
});

describe('A policy', () => {
  it('says what it means for who calls the tool, as far as it is announced', () => {
    const terms = policyOf(listing('x', { approval: 'always', idempotent: false })).map(({ term, value }) => [
      term,
      value,
    ]);
    expect(terms).toEqual([
      ['Approval', 'Always'],
      ['Destructive', 'No'],
      ['Idempotent', 'No'],
      ['Runs', 'In a thread'],
      ['Attempts', 'Up to 3'],
      ['Timeout', '1 min 00 s'],
    ]);
    const { isolation: _isolation, retries: _retries, ...older } = listing('x');
    expect(policyOf(older)).toHaveLength(4);
  });
});

describe('The address', () => {
  it('is taken as far as it makes sense', () => {
    expect(toolsSearch({ tool: 42, window: '7d', q: 'x', pool: 'p', show: 'failing', sort: 'slow' })).toEqual({
      tool: '42',
      window: '7d',
      q: 'x',
      pool: 'p',
      show: 'failing',
      sort: 'slow',
    });
    expect(toolsSearch({ tool: '', window: '1h', q: [], pool: null, show: 'toString', sort: 'name' })).toEqual({});
  });
});
