import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ReturnType<typeof ipaddr.parse>;
type Block = [Address, number];

const blocks = (...texts: string[]): Block[] => texts.map((text) => ipaddr.parseCIDR(text));
const within = (address: Address, list: readonly Block[]): boolean =>
  list.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));

/** Beyond what the library names: the wire server that Azure hides at a public address, and registries' ranges. */
const MORE_FORBIDDEN = blocks('0.0.0.0/8', '168.63.129.16/32', '2001::/23', '3fff::/20');
/** The only part of IPv6 that is routed to the world. */
const GLOBAL_IPV6 = blocks('2000::/3');

/**
 * Why an address is not one of the public internet: its range. IPv6 addresses that carry an IPv4 address (mapped,
 * NAT64, 6to4, Teredo) are refused whatever they carry: where they lead is not ours to say.
 */
export function forbiddenRange(text: string): string | undefined {
  if (isIP(text) === 0) return 'not an address';
  const address = ipaddr.parse(text);
  const range = address.range();
  if (range !== 'unicast') return range;
  if (within(address, MORE_FORBIDDEN)) return 'reserved';
  if (address.kind() === 'ipv6' && !within(address, GLOBAL_IPV6)) return 'reserved';
  return undefined;
}

/** What the operator lets tools reach in spite of the rules. */
export interface AllowList {
  host(hostname: string, port: number): boolean;
  address(text: string): boolean;
}

const HOST = /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i;

/**
 * Comma-separated: `name`, `*.name` (names below it), either with `:port`; an address or a CIDR block. Throws a
 * `TypeError` that names what it cannot read: a typo must not silently allow less, or more.
 */
export function parseAllowList(text: string): AllowList {
  const cidrs: Block[] = [];
  const hosts: { name: string; below: boolean; port: number | undefined }[] = [];
  for (const entry of text.split(',').flatMap((part) => part.trim() || [])) {
    const bare = entry.replace(/^\[(.*)\]$/, '$1');
    if (isIP(bare) !== 0) {
      const address = ipaddr.parse(bare);
      cidrs.push([address, address.kind() === 'ipv4' ? 32 : 128]);
    } else if (entry.includes('/')) {
      if (!ipaddr.isValidCIDR(entry)) throw unreadable(entry);
      cidrs.push(ipaddr.parseCIDR(entry));
    } else {
      const [, name = entry, port] = /^(.*):(\d{1,5})$/.exec(entry) ?? [];
      if (!HOST.test(name)) throw unreadable(entry);
      const below = name.startsWith('*.');
      const plain = (below ? name.slice(2) : name).toLowerCase();
      hosts.push({ name: plain, below, port: port === undefined ? undefined : Number(port) });
    }
  }
  return {
    host: (hostname, port) => {
      const wanted = hostname.toLowerCase().replace(/\.$/, '');
      return hosts.some(
        (entry) =>
          (entry.port === undefined || entry.port === port) &&
          (entry.below ? wanted.endsWith(`.${entry.name}`) : wanted === entry.name),
      );
    },
    // A mapped address is the IPv4 address that it carries: a block of IPv4 addresses allows it.
    address: (candidate) => isIP(candidate) !== 0 && within(ipaddr.process(candidate), cidrs),
  };
}

const unreadable = (entry: string): TypeError =>
  new TypeError(`${JSON.stringify(entry)} is no host name, host:port, address or CIDR block`);
