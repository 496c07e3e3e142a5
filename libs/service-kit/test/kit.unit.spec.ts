import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  baseConfig,
  ConfigError,
  createLogger,
  ensureTraceparent,
  formatTraceparent,
  loadConfig,
  parseNatsUrl,
  parseTraceparent,
  redact,
} from '../src/index.ts';

describe('the configuration', () => {
  const schema = z.object({ ...baseConfig, DATABASE_URL: z.url(), SLOTS: z.coerce.number().int().min(1).default(4) });

  it('is read from the environment, with defaults', () => {
    const config = loadConfig(schema, { DATABASE_URL: 'postgres://db/x', SLOTS: '8', TOOLSTREAM_HEALTH_PORT: '0' });
    expect(config).toMatchObject({ SLOTS: 8, TOOLSTREAM_HEALTH_PORT: 0, TOOLSTREAM_PARTITIONS: 1, LOG_LEVEL: 'info' });
  });

  it('takes an empty variable as absent', () => {
    expect(loadConfig(schema, { DATABASE_URL: 'postgres://db/x', SLOTS: ' ', NATS_URL: '' })).toMatchObject({
      SLOTS: 4,
    });
  });

  it('names all problems at once, and none of the values', () => {
    const load = () => loadConfig(schema, { SLOTS: 'hunter2', LOG_LEVEL: 'hunter2' });
    expect(load).toThrow(ConfigError);
    try {
      load();
    } catch (error) {
      const { problems, message } = error as ConfigError;
      expect(problems.map((problem) => problem.variable).sort()).toEqual(['DATABASE_URL', 'LOG_LEVEL', 'SLOTS']);
      expect(problems).toContainEqual({ variable: 'DATABASE_URL', problem: 'is required' });
      expect(message).not.toContain('hunter2');
    }
  });
});

describe('the log', () => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl';

  it.each([
    ['a ticket in an address', '/ws?ticket=abc123&x=1', '/ws?ticket=[redacted]&x=1'],
    [
      'a token in an address',
      '/v1/runs/r/events?cursor=1&token=abc.def',
      '/v1/runs/r/events?cursor=1&token=[redacted]',
    ],
    ['a token in a fragment', 'http://h/#token=abc', 'http://h/#token=[redacted]'],
    ['a jid', '/cable?jid=abc', '/cable?jid=[redacted]'],
    ['a subprotocol', 'anycable-token.abc.def', 'anycable-token.[redacted]'],
    ['a bearer header', 'Authorization: Bearer abc.def-ghi', 'Authorization: Bearer [redacted]'],
    ['a password', 'postgres://me:pw@host/db', 'postgres://[redacted]@host/db'],
    ['a bare JWT', `got ${jwt}!`, 'got [redacted]!'],
    ['nothing', 'tokens=5 and a@b.c', 'tokens=5 and a@b.c'],
  ])('takes out %s', (_what, text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  it('stays valid JSON and shows no secret, whatever depth it lies at', () => {
    let line = '';
    const log = createLogger({
      name: 'x',
      destination: {
        write: (text: string) => {
          line = text;
        },
      },
    });
    log.info(
      { token: 'abc', req: { headers: { authorization: 'xyz' } }, error: new Error(`bad ${jwt}`) },
      `url ?token=${jwt}"q`,
    );
    const entry = JSON.parse(line);
    expect(line).not.toMatch(/abc|xyz|c2lnbmF0dXJl/);
    expect(entry).toMatchObject({ level: 'info', service: 'x', token: '[redacted]', msg: 'url ?token=[redacted]"q' });
    expect(entry.error.message).toBe('bad [redacted]');
  });
});

describe('a NATS address', () => {
  it('may be a list, without scheme, with user and password', () => {
    expect(parseNatsUrl('nats://me:p%40ss@a:4223, b')).toEqual({
      servers: ['a:4223', 'b:4222'],
      user: 'me',
      pass: 'p@ss',
    });
  });
  it('may carry a token, and ask for TLS', () => {
    expect(parseNatsUrl('tls://tok@a')).toEqual({ servers: ['a:4222'], token: 'tok', tls: {} });
  });
});

describe('a trace context', () => {
  const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  it('survives parsing and formatting', () => {
    expect(formatTraceparent(parseTraceparent(parent)!)).toBe(parent);
    expect(ensureTraceparent(parent)).toBe(parent);
  });

  it.each([
    '',
    'x',
    parent.toUpperCase(),
    parent.replace('00-', 'ff-'),
    `${parent}-more`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  ])('that is malformed starts a new one: %j', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
    expect(parseTraceparent(ensureTraceparent(text))).toBeDefined();
  });
});
