import { randomBytes } from 'node:crypto';
import { StorageType } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { type Principal, principalSchema } from '../auth/principal.ts';
import { Refusal } from '../problems.ts';
import { sha256 } from '../requests/json.ts';

export const TICKETS_BUCKET = 'TS_TICKETS';
export const TICKET_TTL_MS = 30_000;

/** Single-use, short-lived stand-ins for a token, valid at every edge: they may appear in an address. */
export interface Tickets {
  issue(principal: Principal): Promise<{ ticket: string; expires_at: string }>;
  /** The principal that the ticket was issued for. Of any number of attempts with one ticket one succeeds. */
  redeem(ticket: string): Promise<Principal>;
}

/**
 * A ticket is a row of a bucket that forgets after 30 s, under the ticket's hash (the ticket itself is nowhere stored).
 * Redeeming deletes it at the revision that was read: the server lets exactly one delete succeed.
 */
export async function openTickets(
  nc: NatsConnection,
  isRevoked: (principal: Principal) => boolean = () => false,
  now: () => number = Date.now,
): Promise<Tickets> {
  const bucket = await new Kvm(nc).create(TICKETS_BUCKET, {
    ttl: TICKET_TTL_MS,
    history: 1,
    storage: StorageType.Memory,
  });
  return {
    async issue(principal) {
      const ticket = randomBytes(32).toString('base64url');
      const expires = now() + TICKET_TTL_MS;
      await bucket.create(sha256(ticket), JSON.stringify({ principal, expires }));
      return { ticket, expires_at: new Date(expires).toISOString() };
    },
    async redeem(ticket) {
      const used = new Refusal('unauthenticated', 'The ticket is unknown, expired or already used.');
      if (!/^[A-Za-z0-9_-]{43}$/.test(ticket)) throw used;
      const key = sha256(ticket);
      const entry = await bucket.get(key);
      if (entry?.operation !== 'PUT') throw used;
      const { principal, expires } = entry.json<{ principal: unknown; expires: number }>();
      try {
        await bucket.delete(key, { previousSeq: entry.revision });
      } catch (error) {
        if (isRevisionConflict(error)) throw used;
        throw error;
      }
      const parsed = principalSchema.safeParse(principal);
      if (!parsed.success || expires <= now()) throw used;
      if (parsed.data.exp * 1000 <= now()) throw new Refusal('token_expired');
      if (isRevoked(parsed.data)) throw new Refusal('token_revoked');
      return parsed.data;
    },
  };
}

const WRONG_LAST_SEQUENCE = [10071, 10164];
const isRevisionConflict = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && WRONG_LAST_SEQUENCE.includes(error.code as number);
