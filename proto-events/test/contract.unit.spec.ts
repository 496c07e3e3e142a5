import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documents } from '../scripts/documents.ts';
import * as contract from '../src/index.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const types = Object.keys(contract.eventTypes) as contract.EventType[];

describe('Golden fixtures', () => {
  it('exist for every event version, and for nothing else', () => {
    expect(readdirSync(join(root, 'fixtures')).sort()).toEqual(types.map((type) => `${type}.json`).sort());
  });
  it.each(types)('%s decodes to exactly what was written', (type) => {
    const text = read(`fixtures/${type}.json`);
    const event = contract.parseEvent(JSON.parse(text));
    expect(event).toEqual(JSON.parse(text));
    expect(contract.decodeEvent(text)).toEqual(event);
    const on = contract.eventTypes[type].on;
    if (on !== 'either') expect(contract.writerOf(event) === 'run').toBe(on === 'run');
  });
});

describe('Generated documents', () => {
  it('are checked in as they are generated', () => {
    for (const [path, content] of documents())
      expect(read(`generated/${path}`), `${path}: run npm run generate`).toBe(content);
  });
  it('describe the interface in valid AsyncAPI 3', () => {
    const schema = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0-without-$id.json');
    const ajv = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false });
    const validate = ajv.compile(schema);
    const document = JSON.parse(read('generated/asyncapi.json'));
    expect(validate(document), JSON.stringify(validate.errors?.slice(0, 5))).toBe(true);
  });
  it('hold JSON Schemas that accept the fixtures', async () => {
    const { Ajv2020 } = await import('ajv/dist/2020.js');
    const ajv = new Ajv2020({ strict: false });
    (addFormats as unknown as (a: unknown) => void)(ajv);
    for (const type of types) {
      const validate = ajv.compile(JSON.parse(read(`generated/events/${type}.schema.json`)));
      expect(validate(JSON.parse(read(`fixtures/${type}.json`))), `${type}: ${JSON.stringify(validate.errors)}`).toBe(
        true,
      );
    }
  });
});

describe('What comes from outside', () => {
  it('is refused with a reason when it is no event', () => {
    for (const value of [null, 1, 'x', {}, { specversion: '1.0', type: 'tool.exploded.v1' }]) {
      expect(() => contract.parseEvent(value)).toThrow(contract.ContractError);
    }
  });
  it('never becomes part of a subject with a separator, a wildcard or a space in it', () => {
    const run = { tenant: 't', app: 'a', run: '0-01JDFQ7Z4M8R2V6T9XK3B5C7D1' };
    for (const bad of ['a.b', '*', '>', 'a b', 'a\nb', '', 'x'.repeat(65), 'ü']) {
      expect(contract.isToken(bad)).toBe(false);
      expect(() => contract.runSubject({ ...run, app: bad })).toThrow(TypeError);
      expect(() => contract.runSubject({ ...run, tenant: bad })).toThrow(TypeError);
      expect(() => contract.runSubject({ ...run, run: bad })).toThrow(TypeError);
    }
  });
});

describe('Subjects and cursors', () => {
  const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
  const ulid = fc.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  it('are read back as they were built', () => {
    fc.assert(
      fc.property(token, token, ulid, fc.nat(9999), fc.option(fc.nat(255)), (tenant, app, id, partition, index) => {
        const address = { tenant, app, run: `${partition}-${id}` };
        const writer = index === null ? ('run' as const) : index;
        expect(contract.parseEventSubject(contract.writerSubject(address, writer))).toEqual({
          ...address,
          partition,
          writer,
        });
      }),
      { seed: 7, numRuns: 200 },
    );
  });
  it('round-trip, one position a partition', () => {
    const position = fc.record({
      epoch: fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/),
      partition: fc.nat(9999),
      seq: fc.nat(2 ** 40),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(position, { selector: (p) => p.partition, minLength: 1, maxLength: 8 }),
        (positions) => {
          const sorted = [...positions].sort((a, b) => a.partition - b.partition);
          expect(contract.parseCursors(contract.formatCursors(positions))).toEqual(sorted);
        },
      ),
      { seed: 7, numRuns: 200 },
    );
  });
  it('refuse what is malformed', () => {
    for (const bad of [
      '',
      'x',
      'e.0',
      'e.0:',
      'e.0:-1',
      'e.0:1,',
      'e.0:1,e.0:2',
      'e.0:1 ',
      '0:1',
      `e.0:${'9'.repeat(30)}`,
    ]) {
      expect(contract.parseCursors(bad), bad).toBeUndefined();
    }
  });
});

describe('Codes', () => {
  it('say by their range whether to come back', () => {
    for (const [code, { reconnect }] of Object.entries(contract.closeCodes)) {
      expect(contract.reconnectAfterClose(Number(code))).toBe(reconnect);
    }
  });
  it('map to an HTTP status and say what to do', () => {
    for (const { status, help } of Object.values(contract.errorCodes)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(help.length).toBeGreaterThan(10);
    }
  });
});

describe('Messages', () => {
  const link = (run: string, accepted_at: string): contract.MessageLink => ({ run, app: 'app-1', accepted_at });
  it('have keys that no other tenant or message shares, and none for what is no token', () => {
    expect(contract.messageKey('t1', 'm1')).toBe('t1.m1');
    for (const text of ['', 'a.b', '*', '>', 'a b', 'x'.repeat(65)]) {
      expect(() => contract.messageKey('t1', text)).toThrow(TypeError);
      expect(() => contract.messageKey(text, 'm1')).toThrow(TypeError);
    }
  });
  it('are named by a string or an integer in every frame', () => {
    const subscribe = contract.clientFrames.subscribe.parse({ type: 'subscribe', message_id: 42, cursor: 'start' });
    expect(subscribe).toEqual({ type: 'subscribe', message_id: '42', cursor: 'start' });
    expect(contract.clientFrames.unsubscribe.parse({ type: 'unsubscribe', message_id: 42 }).message_id).toBe('42');
    expect(contract.clientFrames.subscribe.safeParse({ type: 'subscribe', message_id: 'a.b' }).success).toBe(false);
    expect(contract.clientFrames.subscribe.safeParse({ type: 'subscribe', message_id: 1.5 }).success).toBe(false);
  });
  it('have one newest run, in whatever order their runs are compared', () => {
    const older = link('0-01ARZ3NDEKTSV4RRFFQ69G5FAZ', '2026-01-01T00:00:00.000Z');
    const newer = link('0-01ARZ3NDEKTSV4RRFFQ69G5FAA', '2026-01-01T00:00:00.001Z');
    const together = link('0-01ARZ3NDEKTSV4RRFFQ69G5FAB', newer.accepted_at);
    expect([contract.isNewerLink(newer, older), contract.isNewerLink(older, newer)]).toEqual([true, false]);
    expect([contract.isNewerLink(together, newer), contract.isNewerLink(newer, together)]).toEqual([true, false]);
    expect(contract.isNewerLink(newer, newer)).toBe(false);
  });
});
