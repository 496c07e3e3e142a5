import { z } from 'zod';
import { messageId } from './messages.ts';
import { runState, runStatus } from './state.ts';
import { runId, token } from './tokens.ts';
import { count, json } from './values.ts';

const cursorText = z.string().min(1).max(4096);
const subscription = z.union([
  z.object({ run: runId, cursor: cursorText.optional() }),
  z.object({ app: token, cursor: cursorText.optional() }),
  /** The newest run of a message, also before there is one. */
  z.object({ message_id: messageId, cursor: cursorText.optional() }),
]);
export type Subscription = z.infer<typeof subscription>;

/** Frames that a client sends. */
export const clientFrames = {
  hello: z.object({
    type: z.literal('hello'),
    token: z.string().max(16_384).optional(),
    subscribe: z.array(subscription).max(128).optional(),
  }),
  subscribe: z.object({ type: z.literal('subscribe') }).and(subscription),
  unsubscribe: z.object({
    type: z.literal('unsubscribe'),
    run: runId.optional(),
    app: token.optional(),
    message_id: messageId.optional(),
  }),
  command: z.object({
    type: z.literal('command'),
    id: z.string().min(1).max(128),
    run: runId,
    command: z.enum(['pause', 'resume', 'cancel', 'cancel_tool', 'retry_tool', 'approve_tool', 'deny_tool']),
    args: z
      .object({ index: count.optional(), reason: z.string().max(1000).optional(), arguments: json.optional() })
      .optional(),
  }),
  pong: z.object({ type: z.literal('pong'), positions: z.record(z.string(), cursorText).optional() }),
  refresh: z.object({ type: z.literal('refresh'), token: z.string().max(16_384) }),
} as const;
export type ClientFrame = {
  [T in keyof typeof clientFrames]: z.infer<(typeof clientFrames)[T]>;
}[keyof typeof clientFrames];

export const snapshotReason = z.enum(['cold', 'gap', 'slow', 'epoch']);
export type SnapshotReason = z.infer<typeof snapshotReason>;

/** Frames that the edge sends. In `event` frames `event` is the last key: the stored bytes, unchanged. */
export const serverFrames = {
  welcome: z.object({
    type: z.literal('welcome'),
    session: z.string(),
    heartbeat_ms: count,
    expires_at: z.string(),
    epoch: z.string(),
  }),
  snapshot: z.object({
    type: z.literal('snapshot'),
    run: z.string().optional(),
    app: z.string().optional(),
    cursor: z.string(),
    reason: snapshotReason,
    state: z.union([runState.loose(), z.object({ runs: z.array(runState.loose()), more: z.boolean().optional() })]),
  }),
  event: z.object({
    type: z.literal('event'),
    run: z.string(),
    app: z.string().optional(),
    cursor: z.string(),
    prev: z.string(),
    /** Number of events that this frame stands for, when it folds a range. */
    folded: count.optional(),
    event: z.record(z.string(), json),
  }),
  caught_up: z.object({
    type: z.literal('caught_up'),
    run: z.string().optional(),
    app: z.string().optional(),
    cursor: z.string(),
  }),
  end: z.object({
    type: z.literal('end'),
    run: z.string(),
    app: z.string().optional(),
    cursor: z.string(),
    status: runStatus,
  }),
  /** A message has no run yet; its subscription is registered. */
  waiting: z.object({ type: z.literal('waiting'), message_id: z.string() }),
  /** The newest run of a message: its frames follow, as those of a subscription to the run. */
  attached: z.object({ type: z.literal('attached'), message_id: z.string(), run: z.string(), app: z.string() }),
  ack: z.object({ type: z.literal('ack'), id: z.string(), cursor: z.string() }),
  /** Heartbeat; answered with `pong`. */
  ping: z.object({ type: z.literal('ping'), time: z.string() }),
  error: z.object({
    type: z.literal('error'),
    code: z.string(),
    message: z.string(),
    run: z.string().optional(),
    app: z.string().optional(),
    message_id: z.string().optional(),
    id: z.string().optional(),
  }),
  bye: z.object({ type: z.literal('bye'), code: z.number().int(), reason: z.string(), retry_ms: count.optional() }),
} as const;
export type ServerFrame = {
  [T in keyof typeof serverFrames]: z.infer<(typeof serverFrames)[T]>;
}[keyof typeof serverFrames];
export type SnapshotFrame = z.infer<typeof serverFrames.snapshot>;
export type EventFrame = z.infer<typeof serverFrames.event>;
