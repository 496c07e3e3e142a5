export { APPEND_TIMEOUT_MS, type Append } from './append.ts';
export { ClosedError } from './channel.ts';
export { consumeDurable } from './consume.ts';
export type {
  BatchLimits,
  ConsumeOptions,
  DurableConsumer,
  PlainOptions,
  ProjectionOptions,
  ReactorOptions,
} from './consume-options.ts';
export type { DurableOptions } from './consumer-config.ts';
export type { Delivered } from './delivered.ts';
export {
  EventLogError,
  FencedError,
  isConflict,
  isRetryable,
  LogFullError,
  LogRejectedError,
  LogUnavailableError,
  StreamMismatchError,
} from './errors.ts';
export { EventLog, type OpenOptions, openEventLog, type Positioned } from './event-log.ts';
export type { Follower, FollowOptions, FollowPoint, FollowStats, FollowTarget, GapReason } from './follow-options.ts';
export { inboxOf } from './inbox.ts';
export { EPOCH_KEY } from './leader.ts';
export type { Published } from './publish.ts';
export type { ReadOptions, RunReadOptions } from './read.ts';
export { type IdempotencyScope, runIdOfKey } from './run-of-key.ts';
export { encodeEvent, type StoredEvent } from './stored-event.ts';
export type { StreamsOptions } from './stream-config.ts';
export { type DeclareOptions, declareStreams } from './streams.ts';
export type { Tail } from './tail.ts';
