import { describe, expect, test } from 'vitest';
import { isNewEnough, parseVersion } from '../src/embedded/nats-server-version.ts';
import { compareVersions } from '../src/embedded/versions.ts';

describe('the version of a nats-server', () => {
  test.each([
    ['nats-server: v2.15.1', '2.15.1'],
    ['nats-server: v2.12.0-RC.4', '2.12.0'],
    ['nats-server: v2.10.27-1~bpo12', '2.10.27'],
    ['command not found', undefined],
  ])('%s is %s', (output, version) => {
    expect(parseVersion(output)).toBe(version);
  });

  test('is compared by number, not by letter', () => {
    expect(['2.9.10', '2.15.1', '2.12.0', '2.9.9'].sort(compareVersions)).toEqual([
      '2.9.9',
      '2.9.10',
      '2.12.0',
      '2.15.1',
    ]);
  });

  test.each([
    ['2.9.10', false],
    ['2.11.9', false],
    ['2.12.0', true],
    ['2.15.1', true],
    ['3.0.0', true],
  ])('%s is new enough: %s', (version, enough) => {
    expect(isNewEnough(version)).toBe(enough);
  });
});
