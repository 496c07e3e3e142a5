export type { ContentState, FileChange, FileListing } from '@toolstream/proto-events';
export type {
  Api,
  IdempotentOptions,
  ModelToolFormat,
  RequestOptions,
  ResultsFormat,
  RunFilter,
  Stats,
  SubmitRequest,
  ToolListing,
} from './api.ts';
export { RETRY_MAX_MS, RETRY_MIN_MS, retryDelay } from './backoff.ts';
export { callsOf, type ModelAnswer } from './calls.ts';
export { type Client, type ClientOptions, createClient } from './client.ts';
export type { CommandArguments, CommandOptions } from './commands.ts';
export type { SocketConstructor, SocketLike } from './connection.ts';
export type { ConnectionState } from './connection-state.ts';
export { ApiError, ConnectionError, type FieldProblem, ToolstreamError } from './errors.ts';
export { type AppState, appFold, type Fold, runFold } from './fold.ts';
export type { FetchLike } from './http.ts';
export { reconnectAfter } from './reconnect.ts';
export type { WatchOptions } from './session.ts';
export type { TokenOption } from './tokens.ts';
export {
  beginTrack,
  forgotten,
  type Output,
  restarted,
  resumeCursor,
  type Step,
  type SubscriptionFrame,
  step,
  type Track,
} from './track.ts';
export type { TransportName } from './transport.ts';
export type {
  AppWatch,
  MessageWatch,
  RunWatch,
  WatchEvents,
  WatchedEnd,
  WatchedEvent,
  WatchedSnapshot,
  WatchItem,
} from './watch.ts';
