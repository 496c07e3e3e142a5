import type { Result, SentCall } from './script.ts';

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

/** A tool as a request describes it, and where in the request its schema is. */
export interface ToolAsked {
  readonly name: unknown;
  readonly schema: unknown;
  readonly where: string;
}

const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

export function requireTool({ name, schema, where }: ToolAsked): void {
  require(typeof name === 'string' && TOOL_NAME.test(name), `${where}.name: does not match ${TOOL_NAME.source}`);
  const { type, properties } = fieldsOf(schema, where);
  require(type === 'object', `${where}: the schema of the arguments must be of type "object"`);
  fieldsOf(properties, `${where}.properties`);
}
