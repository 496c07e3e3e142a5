import { describe, expect, test } from 'vitest';
import { outcomeOfError, outcomeOfPublish } from '../src/outcome.ts';
import { requireServer } from '../src/server-version.ts';
import { parseWireHeaders, wireHeaders } from '../src/wire-headers.ts';

describe('what an answer means', () => {
  const api = (err_code: number, code: number, description: string) => outcomeOfError({ err_code, code, description });

  test('an acknowledgement is a stored message', () => {
    expect(outcomeOfPublish('{"stream":"EVENTS_0","seq":7}')).toEqual({ kind: 'stored', seq: 7, duplicate: false });
    expect(outcomeOfPublish('{"stream":"JOBS","seq":7,"duplicate":true}')).toMatchObject({ duplicate: true });
  });

  test('only a judged fence is a conflict', () => {
    expect(api(10071, 400, 'wrong last sequence: 3')).toEqual({ kind: 'fenced', actual: 3 });
    expect(api(10071, 400, 'wrong last sequence')).toEqual({ kind: 'fenced' });
    expect(api(10164, 400, 'wrong last sequence')).toMatchObject({ kind: 'again' });
  });

  test.each([
    [10158, 400, 'message id already in flight'],
    [10008, 503, 'JetStream system temporarily unavailable'],
    [10039, 503, 'JetStream not enabled for account'],
    [10167, 429, 'too many requests'],
    [10077, 503, 'raft: not leader'],
  ])('%i (%i %s) is sent again', (err_code, code, description) => {
    expect(api(err_code, code, description)).toEqual({ kind: 'again', reason: description });
  });

  test.each([
    [10077, 503, 'maximum bytes exceeded'],
    [10077, 503, 'maximum messages exceeded'],
    [10077, 503, 'write EVENTS: no space left on device'],
    [10047, 500, 'insufficient storage resources available'],
    [10002, 400, 'resource limits exceeded for account'],
    [10023, 503, 'insufficient resources'],
  ])('%i (%i %s) is a full log', (err_code, code, description) => {
    expect(api(err_code, code, description)).toEqual({ kind: 'full', reason: description });
  });

  test('anything else is refused for good, with the reason', () => {
    expect(api(10054, 400, 'message size exceeds maximum allowed')).toEqual({
      kind: 'rejected',
      reason: 'message size exceeds maximum allowed (10054)',
    });
    expect(outcomeOfPublish('+OK')).toMatchObject({ kind: 'rejected' });
    expect(outcomeOfPublish('{}')).toMatchObject({ kind: 'rejected' });
  });
});

describe('headers in wire form', () => {
  const wire = wireHeaders([
    ['Ts-Id', 'e-1'],
    ['Ts-Job', undefined],
    ['Nats-Expected-Last-Subject-Sequence', 0],
    ['Ts-Type', 'löschen'],
  ]) as unknown as { encode(): Uint8Array };

  test('are read back as they were written, absent ones left out', () => {
    expect(parseWireHeaders(wire.encode())).toEqual([
      ['Ts-Id', ['e-1']],
      ['Nats-Expected-Last-Subject-Sequence', ['0']],
      ['Ts-Type', ['löschen']],
    ]);
  });

  test('cannot be broken out of', () => {
    expect(() => wireHeaders([['Ts-Id', 'a\nTs-Job: forged']])).toThrow('line break');
  });
});

describe('the server version', () => {
  const server = (version: string) => ({ info: { version } }) as Parameters<typeof requireServer>[0];

  test.each(['2.12.0', '2.12.3', '2.15.1', '3.0.0', '2.15.0-dev'])('%s will do', (version) => {
    expect(() => requireServer(server(version))).not.toThrow();
  });

  test.each(['2.11.9', '2.10.27', '1.99.99'])('%s is too old', (version) => {
    expect(() => requireServer(server(version))).toThrow(/the server is .* Use nats-server 2\.12\.0/);
  });
});
