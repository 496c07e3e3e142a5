import { isIP } from 'node:net';
import type { Principal } from '../auth/principal.ts';
import type { EdgeConfig } from '../config.ts';
import type { EdgeMetrics } from '../metrics.ts';
import { Refusal } from '../problems.ts';
import type { Clients } from './clients.ts';
import { TokenBucket } from './rate.ts';

/** What a client came with, as the metrics name it: `ws`, `sse`, … */
export type Transport = string;

export interface AdmissionParts {
  readonly config: EdgeConfig;
  readonly clients: Clients;
  readonly metrics: Pick<EdgeMetrics, 'connection'>;
  readonly now?: () => number;
}

/**
 * Who may connect: nobody while the process drains, so many in all, so many per address and per user, and so many a second.
 * Everything but the user is known before the upgrade, where a refusal costs least and has room for `Retry-After`. Every
 * attempt is counted once, by what became of it.
 */
export class Admission {
  readonly #parts: AdmissionParts;
  readonly #now: () => number;
  readonly #arrivals: TokenBucket | undefined;
  readonly #ofAddress = new Map<string, number>();
  /** Tenant → user → connections. */
  readonly #ofUser = new Map<string, Map<string, number>>();
  #places = 0;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
    const perSecond = parts.config.TOOLSTREAM_CONNECTS_PER_SECOND;
    if (perSecond > 0) this.#arrivals = new TokenBucket(perSecond, perSecond * 2, this.#now());
  }

  /** Places taken. */
  get size(): number {
    return this.#places;
  }

  /** Takes a place, or refuses. Whoever gets one sees to its release. */
  admit(transport: Transport, ip: string): Place {
    const { config, clients } = this.#parts;
    if (clients.draining) {
      const refusal = new Refusal('unavailable', 'This edge is shutting down.', { retryAfterS: 1 });
      this.refuse(transport, 'draining', refusal);
    }
    if (this.#places >= config.TOOLSTREAM_MAX_CONNECTIONS) {
      const refusal = new Refusal('busy', 'This edge has all the connections that it takes.', soon(5));
      this.refuse(transport, 'capacity', refusal);
    }
    const address = addressGroup(ip);
    const perIp = config.TOOLSTREAM_MAX_CONNECTIONS_PER_IP;
    if (address !== undefined && perIp > 0 && (this.#ofAddress.get(address) ?? 0) >= perIp) {
      const refusal = new Refusal('rate_limited', 'Your address has all the connections that it may have.', soon(5));
      this.refuse(transport, 'ip', refusal);
    }
    // Last, so that who is refused anyway takes nobody's turn.
    const wait = this.#arrivals?.take(this.#now()) ?? 0;
    if (wait > 0) {
      const refusal = new Refusal('busy', 'Too many connect at once.', soon(Math.max(3, Math.ceil(wait / 1000))));
      this.refuse(transport, 'connects_per_second', refusal);
    }
    this.#places++;
    if (address !== undefined) count(this.#ofAddress, address, 1);
    return new Place(this.#register, transport, address);
  }

  readonly #register: Register = {
    claim: (principal) => {
      const { tenant, sub } = principal;
      const perUser = this.#parts.config.TOOLSTREAM_MAX_CONNECTIONS_PER_USER;
      const users = this.#ofUser.get(tenant) ?? new Map<string, number>();
      if (perUser > 0 && (users.get(sub) ?? 0) >= perUser) return false;
      count(users, sub, 1);
      this.#ofUser.set(tenant, users);
      return true;
    },
    settle: (transport, outcome, reason) => this.#parts.metrics.connection(transport, outcome, reason),
    release: (address, principal) => {
      this.#places--;
      if (address !== undefined) count(this.#ofAddress, address, -1);
      const users = principal && this.#ofUser.get(principal.tenant);
      if (!users) return;
      count(users, principal.sub, -1);
      if (users.size === 0) this.#ofUser.delete(principal.tenant);
    },
  };

  /** Counts an attempt that was refused for another reason, and throws the refusal. */
  refuse(transport: Transport, reason: string, refusal: Refusal): never {
    this.#parts.metrics.connection(transport, refusal.code, reason);
    throw refusal;
  }
}

/** Where places are counted: one for all of them. */
interface Register {
  /** False when the user has as many connections as allowed. */
  claim(principal: Principal): boolean;
  settle(transport: Transport, outcome: string, reason: string): void;
  release(address: string | undefined, principal: Principal | undefined): void;
}

/** One connection's place, from before the upgrade until its end. */
export class Place {
  readonly #register: Register;
  readonly #transport: Transport;
  readonly #address: string | undefined;
  #principal: Principal | undefined;
  #settled = false;
  #released = false;

  constructor(register: Register, transport: Transport, address: string | undefined) {
    this.#register = register;
    this.#transport = transport;
    this.#address = address;
  }

  /** Says whose connection it is, once that is known. Throws `rate_limited` when the user has as many as allowed. */
  claim(principal: Principal): void {
    if (this.#principal || this.#released) return;
    if (!this.#register.claim(principal)) {
      this.refused('rate_limited', 'user');
      throw new Refusal('rate_limited', 'You have all the connections that you may have: close one first.', soon(5));
    }
    this.#principal = principal;
    this.#settle('accepted', 'accepted');
  }

  /** It came to nothing: the first outcome of an attempt counts, later ones are ignored. */
  refused(outcome: string, reason = outcome): void {
    this.#settle(outcome, reason);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#settle('abandoned', 'abandoned');
    this.#register.release(this.#address, this.#principal);
  }

  #settle(outcome: string, reason: string): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#register.settle(this.#transport, outcome, reason);
  }
}

/** Those that are refused together must not come back together. */
const soon = (withinS: number): { retryAfterS: number } => ({ retryAfterS: 1 + Math.floor(Math.random() * withinS) });

function count(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const next = (counts.get(key) ?? 0) + by;
  if (next <= 0) counts.delete(key);
  else counts.set(key, next);
}

/**
 * What counts as one address: an IPv4 address, or the /64 network that an IPv6 customer has to himself. `undefined` is not
 * counted: this machine's own addresses stand for a proxy beside the edge, or for whoever develops here.
 */
export function addressGroup(ip: string): string | undefined {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  const address = mapped ?? ip.replace(/%.*$/, '').toLowerCase();
  switch (isIP(address)) {
    case 4:
      return address.startsWith('127.') ? undefined : address;
    case 6: {
      if (address === '::1') return undefined;
      const [head = '', tail] = address.split('::');
      const groups = head === '' ? [] : head.split(':');
      const after = tail === undefined || tail === '' ? [] : tail.split(':');
      while (tail !== undefined && groups.length + after.length < 8) groups.push('0');
      return [...groups, ...after].slice(0, 4).map(withoutZeros).join(':');
    }
    default:
      return ip;
  }
}

const withoutZeros = (group: string): string => group.replace(/^0+(?=.)/, '');
