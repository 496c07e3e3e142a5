import { isToken } from '@toolstream/proto-events';
import { z } from 'zod';
import { Refusal } from '../problems.ts';

export const SCOPES = ['runs:read', 'runs:write', 'runs:control', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who a request or a connection speaks for: the checked claims of a token. Plain data, so a ticket can carry it. */
export const principalSchema = z.object({
  sub: z.string().min(1).max(256),
  tenant: z.string().refine(isToken),
  scopes: z.array(z.enum(SCOPES)),
  apps: z.union([z.literal('*'), z.array(z.string().refine(isToken)).max(1024)]),
  /** Seconds since the epoch, as in the token. */
  exp: z.number().int(),
  /** Seconds since the epoch: when the token was issued. A revocation takes one without it for an old one. */
  iat: z.number().optional(),
  jti: z.string().max(256).optional(),
});
export type Principal = z.infer<typeof principalSchema>;

/** The claims of a verified token; `undefined` when they do not make a principal. Unknown scopes are ignored. */
export function principalOf(claims: Record<string, unknown>): Principal | undefined {
  const scope = typeof claims.scope === 'string' ? claims.scope.split(' ') : [];
  const parsed = principalSchema.safeParse({
    sub: claims.sub,
    tenant: claims.tenant,
    scopes: SCOPES.filter((known) => scope.includes(known)),
    apps: claims.apps,
    exp: typeof claims.exp === 'number' ? Math.floor(claims.exp) : undefined,
    ...(typeof claims.iat === 'number' ? { iat: claims.iat } : {}),
    ...(claims.jti === undefined ? {} : { jti: claims.jti }),
  });
  return parsed.success ? { ...parsed.data, scopes: shared(parsed.data.scopes) } : undefined;
}

/** There are few combinations of scopes and many principals. */
function shared(scopes: Scope[]): Scope[] {
  const key = scopes.join(' ');
  const known = combinations.get(key);
  if (known) return known;
  combinations.set(key, scopes);
  return scopes;
}
const combinations = new Map<string, Scope[]>();

/** Clocks differ by so much, in seconds. */
export const CLOCK_TOLERANCE_S = 5;

export const isExpired = ({ exp }: Pick<Principal, 'exp'>, now: number): boolean =>
  exp + CLOCK_TOLERANCE_S <= now / 1000;

/** `admin` may do everything within its tenant and apps. */
export const hasScope = (principal: Principal, scope: Scope): boolean =>
  principal.scopes.includes(scope) || principal.scopes.includes('admin');

/** What a command says of its caller beside the subject: whether it holds `admin`, for approvals that not everybody may give. */
export const adminOf = (principal: Principal): { admin?: true } =>
  principal.scopes.includes('admin') ? { admin: true } : {};

export const mayUseApp = (principal: Principal, app: string): boolean =>
  principal.apps === '*' || principal.apps.includes(app);

export function requireScope(principal: Principal, scope: Scope): void {
  if (!hasScope(principal, scope)) throw new Refusal('forbidden', `This needs the scope ${scope}.`);
}

export function requireApp(principal: Principal, app: string): void {
  if (!mayUseApp(principal, app))
    throw new Refusal('forbidden', `The token does not allow the app ${JSON.stringify(app)}.`);
}
