import { ConfigError } from '@toolstream/service-kit';
import { describe, expect, test } from 'vitest';
import { stackOptionsFrom } from '../../src/up/config.ts';

const problemsOf = (env: Record<string, string>): string[] => {
  try {
    stackOptionsFrom(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ variable }) => variable).sort();
  }
};

describe('the environment of make up', () => {
  test('may be empty', () => {
    expect(stackOptionsFrom({})).toMatchObject({ port: 4400, edges: 1, executors: 1, orchestrators: 1, restart: true });
  });

  test('says how many of each, where, and who restarts', () => {
    const env = {
      PORT: '5000',
      EDGES: '2',
      EXECUTORS: '3',
      ORCHESTRATORS: '2',
      RESTART: '0',
      TOOLSTREAM_DATA_DIR: '/data',
    };
    expect(stackOptionsFrom(env)).toMatchObject({
      port: 5000,
      edges: 2,
      executors: 3,
      orchestrators: 2,
      restart: false,
      dataDir: '/data',
    });
  });

  test('treats an empty variable as one that is not set', () => {
    expect(stackOptionsFrom({ PORT: '', NATS_URL: '', TOOLSTREAM_JWT_SECRET: '' })).toMatchObject({ port: 4400 });
  });

  test('is refused with all of its problems at once', () => {
    const env = {
      PORT: 'http',
      EXECUTORS: '0',
      SLOTS: 'many',
      RESTART: 'no',
      NATS_URL: 'http://localhost:4222',
      DATABASE_URL: 'mysql://localhost/x',
      TOOLSTREAM_JWT_SECRET: 'short',
      TOOLSTREAM_JWKS_URL: 'keys.json',
      TOOLSTREAM_ALLOWED_ORIGINS: 'https://app.example/path',
      TOOLSTREAM_PARTITIONS: '0',
      TOOLSTREAM_PROGRESS_HZ: '-1',
      TOOLSTREAM_ARTIFACTS: 's3:bucket',
      TOOLSTREAM_S3_ENDPOINT: 'ftp://localhost',
      TOOLSTREAM_S3_PATH_STYLE: 'maybe',
    };
    expect(problemsOf(env)).toEqual(Object.keys(env).sort());
  });

  test('needs both halves of the credentials for S3, or none', () => {
    const keys = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };
    const place = { TOOLSTREAM_ARTIFACTS: 's3://bucket/some/prefix' };
    expect(problemsOf({ ...place, ...keys })).toEqual([]);
    expect(problemsOf(place)).toEqual([]);
    expect(problemsOf({ ...place, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE' })).toEqual(['AWS_SECRET_ACCESS_KEY']);
    expect(problemsOf({ AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE' })).toEqual([]);
  });

  test('needs somebody who signs tokens where NATS is not embedded', () => {
    const env = { NATS_URL: 'nats://one:4222,nats://two:4222' };
    expect(problemsOf(env)).toEqual(['TOOLSTREAM_JWT_SECRET']);
    expect(problemsOf({ ...env, TOOLSTREAM_JWT_SECRET: 'x'.repeat(32) })).toEqual([]);
    expect(problemsOf({ ...env, TOOLSTREAM_JWKS_URL: 'https://issuer.example/keys' })).toEqual([]);
  });

  test('has room for all edges above the first port', () => {
    expect(problemsOf({ PORT: '65535', EDGES: '2' })).toEqual(['EDGES']);
  });
});
