import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { type Principal, requireScope, type Scope } from '../auth/principal.ts';
import type { TokenVerifier } from '../auth/tokens.ts';
import { invalid, Refusal } from '../problems.ts';

/** What a route answers, for the document. */
export interface Answer {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Default `application/json`. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One route, said once: the server registers it, and the OpenAPI document lists it. */
export interface Route<P, Q, B> {
  readonly method: 'GET' | 'POST';
  /** As fastify writes it: `/v1/runs/:id`. */
  readonly url: string;
  readonly tag: 'runs' | 'control' | 'tools' | 'files' | 'service';
  readonly summary: string;
  /** `none`: open to everybody. `any`: every valid token. */
  readonly scope: Scope | 'any' | 'none';
  /** Malformed path parameters name nothing that exists: they are `not_found`. */
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** The body's schema in the document, where the handler checks the body itself. */
  readonly documentedBody?: z.ZodType;
  readonly idempotent?: boolean;
  /** Where a browser can send no header: the token may be in `?token=`. */
  readonly tokenInQuery?: boolean;
  /** The answer lasts: a HEAD request could only wait for its end. */
  readonly lasting?: boolean;
  readonly answers: Readonly<Record<number, Answer>>;
  handle(call: Call<P, Q, B>): Promise<unknown> | unknown;
}

export interface Call<P = unknown, Q = unknown, B = unknown> {
  /** Absent on open routes only. */
  readonly principal: Principal;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export type AnyRoute = Route<unknown, unknown, unknown>;

/** Lets each route infer its types and yet stand in one list. */
export const route = <P, Q, B>(definition: Route<P, Q, B>): AnyRoute => definition as unknown as AnyRoute;

const principals = new WeakMap<FastifyRequest, Principal>();
const BEARER = /^Bearer +(\S+) *$/i;

export function registerRoute(app: FastifyInstance, definition: AnyRoute, tokens: TokenVerifier): void {
  const { method, url, scope, handle } = definition;
  app.route({
    method,
    url,
    exposeHeadRoute: method === 'GET' && definition.lasting !== true,
    // Before the body is read: who may not call does not get 8 MiB of it parsed.
    onRequest: async (request) => {
      if (scope === 'none') return;
      const principal = await tokens.verify(tokenOf(request, definition.tokenInQuery ?? false));
      if (scope !== 'any') requireScope(principal, scope);
      principals.set(request, principal);
    },
    handler: (request, reply) =>
      handle({
        principal: principals.get(request) as Principal,
        params: checkedParams(definition.params, request.params),
        query: checked(definition.query, request.query),
        body: checked(definition.body, request.body ?? {}),
        request,
        reply,
      }),
  });
}

function tokenOf(request: FastifyRequest, inQuery: boolean): string | undefined {
  const header = request.headers.authorization;
  if (header !== undefined) {
    const match = BEARER.exec(header);
    if (!match) throw new Refusal('unauthenticated', 'Authorization must be "Bearer <token>".');
    return match[1];
  }
  const { token } = request.query as { token?: unknown };
  return inQuery && typeof token === 'string' ? token : undefined;
}

function checkedParams(schema: z.ZodType | undefined, value: unknown): unknown {
  if (!schema) return {};
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new Refusal('not_found');
  return parsed.data;
}

function checked(schema: z.ZodType | undefined, value: unknown): unknown {
  if (!schema) return value;
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalid(parsed.error);
  return parsed.data;
}
