import { createInbox, type NatsConnection } from '@nats-io/nats-core';

/** A reply subject under the connection's own inbox prefix, which its permissions may be limited to. */
export function inboxOf(nc: NatsConnection): string {
  const { options } = nc as NatsConnection & { options?: { inboxPrefix?: string } };
  return createInbox(options?.inboxPrefix);
}
