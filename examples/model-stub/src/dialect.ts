import type { IncomingMessage } from 'node:http';
import { type Fields, fieldsOf, listOf, requireTool, type ToolAsked, textOf } from './checks.ts';
import type { Result, SentTurn } from './script.ts';

/** One API's dialect: how it asks, how it answers, how it refuses. */
export interface Dialect {
  readonly key: (headers: IncomingMessage['headers']) => string | undefined;
  /** What the request says about one of its `tools`. */
  tool(tool: unknown, at: number): ToolAsked;
  /** Checks the conversation against what was sent so far; gives the results that it brings. */
  conversation(body: Fields, sent: readonly SentTurn[]): readonly Result[];
  answer(turn: SentTurn, body: unknown, ids: Ids): unknown;
  /** The same answer as events: `event` only where the API names them. */
  stream(turn: SentTurn, body: unknown, ids: Ids): { event?: string; data: unknown }[];
  error(message: string, type: 'invalid_request_error' | 'authentication_error'): unknown;
  readonly callIdPrefix: string;
}

export type Ids = (prefix: string) => string;

/** Checks a whole request; gives the results that it brings. */
export function read(dialect: Dialect, body: unknown, sent: readonly SentTurn[]): readonly Result[] {
  const fields = fieldsOf(body, 'body');
  const { model, tools = [] } = fields;
  textOf(model, 'model');
  for (const [at, tool] of listOf(tools, 'tools').entries()) requireTool(dialect.tool(tool, at));
  return dialect.conversation(fields, sent);
}

/** The key in an `Authorization` header. */
export const bearer = (authorization: string | undefined): string | undefined =>
  /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];

/** Text in pieces, as a stream would bring it: cut where it hurts. */
export function pieces(text: string): string[] {
  const cut: string[] = [];
  for (let at = 0; at < text.length; at += 7) cut.push(text.slice(at, at + 7));
  return cut;
}
