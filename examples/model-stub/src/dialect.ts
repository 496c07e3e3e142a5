import type { IncomingMessage } from 'node:http';
import type { Result, SentTurn } from './script.ts';

/** One API's dialect: how it asks, how it answers, how it refuses. */
export interface Dialect {
  readonly key: (headers: IncomingMessage['headers']) => string | undefined;
  /** Checks the whole request against what was sent so far; gives the results that it brings. */
  read(body: unknown, sent: readonly SentTurn[]): readonly Result[];
  answer(turn: SentTurn, body: unknown, ids: Ids): unknown;
  /** The same answer as events: `event` only where the API names them. */
  stream(turn: SentTurn, body: unknown, ids: Ids): { event?: string; data: unknown }[];
  error(message: string, type: 'invalid_request_error' | 'authentication_error'): unknown;
  readonly callIdPrefix: string;
}

export type Ids = (prefix: string) => string;
