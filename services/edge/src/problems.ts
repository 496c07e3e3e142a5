import { type ErrorCode, errorCodes, isErrorCode } from '@toolstream/proto-events';
import { z } from 'zod';

/** RFC 9457, plus the stable `code`, what to do about it, and the fields or the run that it concerns. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  help: z.string(),
  request_id: z.string().optional(),
  fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof problemSchema>;
export type FieldProblem = NonNullable<Problem['fields']>[number];

export const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

/** A refusal that the caller is meant to see. Everything else that is thrown is a fault, and answered as `internal`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ErrorCode;
  readonly fields: readonly FieldProblem[] | undefined;
  readonly retryAfterS: number | undefined;

  constructor(
    code: ErrorCode,
    detail?: string,
    extra: { fields?: readonly FieldProblem[]; retryAfterS?: number } = {},
  ) {
    super(detail ?? errorCodes[code].help);
    this.code = code;
    this.fields = extra.fields;
    this.retryAfterS = extra.retryAfterS;
  }
}

export function problemOf(refusal: Refusal, requestId?: string): Problem {
  const { status, help } = errorCodes[refusal.code];
  const words = refusal.code.replaceAll('_', ' ');
  return {
    type: `urn:toolstream:problem:${refusal.code}`,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    status,
    code: refusal.code,
    detail: refusal.message,
    help,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...(refusal.fields === undefined ? {} : { fields: [...refusal.fields] }),
  };
}

/** A whole answer, for connections on which nothing else makes one; it is the last on its connection. */
export function lastAnswer(refusal: Refusal, headers: readonly string[] = []): string {
  const problem = problemOf(refusal);
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `Content-Type: ${PROBLEM_JSON}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...headers,
    '',
    body,
  ].join('\r\n');
}

/** Seconds for `Retry-After`: every 503 and 429 has one. */
export function retryAfterOf(refusal: Refusal): number | undefined {
  if (refusal.retryAfterS !== undefined) return Math.max(1, Math.ceil(refusal.retryAfterS));
  switch (errorCodes[refusal.code].status) {
    case 429:
      return 1;
    case 503:
      return refusal.code === 'log_full' ? 30 : 1;
    default:
      return undefined;
  }
}

/** What a command or a query answered instead of a result. */
export function refusalOf(error: { code: string; message: string; retry_after_s?: number | undefined }): Refusal {
  const code = isErrorCode(error.code) ? error.code : 'internal';
  return new Refusal(
    code,
    error.message,
    error.retry_after_s === undefined ? {} : { retryAfterS: error.retry_after_s },
  );
}

/** A zod problem as `invalid`, every field named; calls beyond the limit have a code of their own. */
export function invalid(error: z.ZodError, where = ''): Refusal {
  const fields = flat(error.issues)
    .slice(0, 32)
    .map((issue) => ({ path: pathOf(where, issue.path), message: issue.message }));
  return new Refusal('invalid', fields.map((field) => `${field.path}: ${field.message}`).join('; '), { fields });
}

/** In a union, only the branch that was meant says something useful. */
function flat(issues: readonly z.core.$ZodIssue[], prefix: readonly PropertyKey[] = []): z.core.$ZodIssue[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ ...issue, path }];
    const branches = issue.errors.map((branch) => flat(branch, path));
    return branches.reduce((best, branch) => (fitness(branch) > fitness(best) ? branch : best));
  });
}

/** A branch that complains about `type` was not meant; else fewer and deeper problems fit better. */
const fitness = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(0, ...issues.map((issue) => issue.path.length)) -
  issues.length / 100 -
  (issues.some((issue) => issue.path.at(-1) === 'type') ? 100 : 0);

function pathOf(where: string, path: readonly PropertyKey[]): string {
  let text = where;
  for (const part of path)
    text += typeof part === 'number' ? `[${part}]` : text === '' ? String(part) : `.${String(part)}`;
  return text === '' ? 'body' : text;
}

/**
 * Whatever was thrown, as a refusal: what the event log, NATS or another service could not do now is `unavailable`,
 * anything unforeseen `internal`.
 */
export function asRefusal(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'unavailable' || code === 'log_full') return new Refusal(code, (thrown as Error).message);
  if (isConnectionTrouble(thrown)) return new Refusal('unavailable');
  return new Refusal('internal', 'The request failed here; the service has logged why.');
}

const CONNECTION_ERRORS = new Set([
  'TimeoutError',
  'ConnectionError',
  'ClosedConnectionError',
  'DrainingConnectionError',
  'RequestError',
  'NoRespondersError',
]);
const isConnectionTrouble = (thrown: unknown): boolean => thrown instanceof Error && CONNECTION_ERRORS.has(thrown.name);
