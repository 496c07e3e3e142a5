/** One answer of the model: words, calls of tools, or both. Arguments that are a string are sent as they are, broken or not. */
export interface Turn {
  readonly text?: string;
  readonly calls?: readonly { readonly name: string; readonly arguments: object | string }[];
}

/** Makes the next answer of what the tools said since the last one; called once a turn, in order. */
export type Script = (results: readonly Result[], turn: number) => Turn;

/** What the model was told of one of its calls. */
export interface Result {
  readonly id: string;
  readonly content: string;
  /** Where the API has a sign for it. */
  readonly isError?: boolean;
}

/** A call as it was sent, with the id by which it must be answered. */
export interface SentCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export interface SentTurn {
  readonly text: string;
  readonly calls: readonly SentCall[];
}

/** The request is not as the API wants it: answered as the API would, with 400. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

export function require(holds: boolean, message: string): asserts holds {
  if (!holds) throw new BadRequest(message);
}

export type Fields = { readonly [key: string]: unknown };

export function fieldsOf(value: unknown, where: string): Fields {
  require(typeof value === 'object' && value !== null && !Array.isArray(value), `${where}: expected an object`);
  return value as Fields;
}

export function listOf(value: unknown, where: string): readonly unknown[] {
  require(Array.isArray(value), `${where}: expected an array`);
  return value as readonly unknown[];
}

export function textOf(value: unknown, where: string): string {
  require(typeof value === 'string', `${where}: expected a string`);
  return value as string;
}

/** Text in pieces, as a stream would bring it: cut where it hurts. */
export function pieces(text: string): string[] {
  const cut: string[] = [];
  for (let at = 0; at < text.length; at += 7) cut.push(text.slice(at, at + 7));
  return cut;
}

/** Every call answered, in order, by its own id: stricter than the APIs are about the order. */
export function requireAnswers(
  calls: readonly SentCall[],
  results: readonly Result[],
  refusal: (missing: string[]) => string,
): void {
  const missing = calls.filter(({ id }) => !results.some((result) => result.id === id)).map(({ id }) => id);
  require(missing.length === 0, refusal(missing));
  const stranger = results.find(({ id }) => !calls.some((call) => call.id === id));
  require(stranger === undefined, `A result answers ${stranger?.id}, which is no call of the turn before.`);
  const inOrder = results.length === calls.length && calls.every(({ id }, at) => results[at]?.id === id);
  require(inOrder, 'The results are not in the order of the calls, or one is answered twice.');
}

/** The key in an `Authorization` header. */
export const bearer = (authorization: string | undefined): string | undefined =>
  /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

export function requireTool(name: unknown, schema: unknown, where: string): void {
  require(typeof name === 'string' && TOOL_NAME.test(name), `${where}.name: does not match ${TOOL_NAME.source}`);
  const { type, properties } = fieldsOf(schema, where);
  require(type === 'object', `${where}: the schema of the arguments must be of type "object"`);
  fieldsOf(properties, `${where}.properties`);
}
