import { describe, expect, it } from 'vitest';
import { forbiddenRange, parseAllowList } from './addresses.ts';

describe('addresses that tools may not reach', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'carrierGradeNat'],
    ['100.100.100.200', 'carrierGradeNat'],
    ['169.254.169.254', 'linkLocal'],
    ['168.63.129.16', 'reserved'],
    ['192.0.0.192', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['224.0.0.1', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['fe80::1', 'linkLocal'],
    ['fd00:ec2::254', 'uniqueLocal'],
    ['fec0::1', 'deprecatedSiteLocal'],
    ['ff02::1', 'multicast'],
    ['::ffff:127.0.0.1', 'ipv4Mapped'],
    ['::ffff:8.8.8.8', 'ipv4Mapped'],
    ['64:ff9b::7f00:1', 'rfc6052'],
    ['64:ff9b:1::a9fe:a9fe', undefined],
    ['2002:7f00:1::', '6to4'],
    ['2001:0:1::1', 'teredo'],
    ['::7f00:1', undefined],
    ['5f00::1', undefined],
    ['2001:db8::1', 'reserved'],
    ['not-an-address', 'not an address'],
  ])('%s (%s)', (address, range) => {
    const found = forbiddenRange(address);
    if (range === undefined) expect(found).toBeDefined();
    else expect(found).toBe(range);
  });

  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '192.167.1.1', '2606:4700::1111', '2a00:1450::1'])(
    '%s is public',
    (address) => expect(forbiddenRange(address)).toBeUndefined(),
  );
});

describe('what an operator allows', () => {
  it('names, names below a name, ports, addresses and blocks', () => {
    const allow = parseAllowList('search.internal, *.svc.cluster.local, api:8080, 10.1.0.0/16, ::1, 127.0.0.1');
    expect(allow.host('SEARCH.internal', 443)).toBe(true);
    expect(allow.host('search.internal.', 443)).toBe(true);
    expect(allow.host('x.search.internal', 443)).toBe(false);
    expect(allow.host('a.b.svc.cluster.local', 80)).toBe(true);
    expect(allow.host('svc.cluster.local', 80)).toBe(false);
    expect(allow.host('evilsvc.cluster.local', 80)).toBe(false);
    expect(allow.host('api', 8080)).toBe(true);
    expect(allow.host('api', 80)).toBe(false);
    expect(allow.address('10.1.255.1')).toBe(true);
    expect(allow.address('10.2.0.1')).toBe(false);
    expect(allow.address('::1')).toBe(true);
    expect(allow.address('127.0.0.1')).toBe(true);
    expect(allow.address('::ffff:127.0.0.1')).toBe(true);
    expect(allow.address('127.0.0.2')).toBe(false);
  });

  it('nothing unless said', () => {
    expect(parseAllowList('').host('localhost', 80)).toBe(false);
    expect(parseAllowList(' , ').address('127.0.0.1')).toBe(false);
  });

  it.each(['10.0.0.0/33', 'a b', 'http://x', '*', '*.', '/8'])('refuses %s', (text) => {
    expect(() => parseAllowList(text)).toThrow(TypeError);
  });
});
