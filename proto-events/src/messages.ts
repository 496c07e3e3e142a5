import { z } from 'zod';
import { isToken } from './ids.ts';
import { runId, token } from './tokens.ts';
import { instant } from './values.ts';

/**
 * KV bucket: which run is a message's newest. The orchestrator writes, edges watch. It is an index of what the log says
 * already, so losing it loses no run.
 */
export const MESSAGES_BUCKET = 'TS_MESSAGES';

/**
 * An entry is forgotten this long after its run was accepted. No run lives longer than `TOOLSTREAM_MAX_RUN_AGE` (14 days by
 * default), and for older ones the projection knows the answer.
 */
export const MESSAGE_LINK_TTL_MS = 30 * 24 * 3600_000;

/** How whoever comes first makes the bucket. Entries are read from its leader: a replica may lack the newest run. */
export const messagesBucketOptions = { history: 1, ttl: MESSAGE_LINK_TTL_MS, allow_direct: false } as const;

/** A message's id as a caller may write it: integers stand for their decimal text. */
export const messageId = z.union([token, z.number().int().nonnegative().transform(String)]);

/** The value under a message's key: the newest run that was accepted for it. */
export const messageLink = z.object({ run: runId, app: token, accepted_at: instant });
export type MessageLink = z.infer<typeof messageLink>;

/** `<tenant>.<message_id>`: both are tokens, so the key is safe as it is. */
export function messageKey(tenant: string, message: string): string {
  for (const part of [tenant, message])
    if (!isToken(part)) throw new TypeError(`no key token: ${JSON.stringify(part)}`);
  return `${tenant}.${message}`;
}

/**
 * Whether `a` is of a newer run than `b`: a total order, so that every writer and reader agrees on the newest. Times are
 * compared as text, which is their order as long as all have milliseconds, and the orchestrator's have.
 */
export const isNewerLink = (a: MessageLink, b: MessageLink): boolean =>
  a.accepted_at === b.accepted_at ? a.run > b.run : a.accepted_at > b.accepted_at;
