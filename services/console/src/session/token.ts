/** What a token says of itself. Read, not verified: that is the service's part. */
export interface Identity {
  readonly sub: string;
  readonly tenant: string;
  readonly scopes: readonly string[];
  readonly apps: readonly string[] | '*';
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
}

export function readIdentity(token: string): Identity | undefined {
  const payload = token.split('.')[1];
  if (payload === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? identityOf(claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function identityOf({ sub, tenant, scope, apps, exp }: Record<string, unknown>): Identity | undefined {
  if (typeof sub !== 'string' || typeof tenant !== 'string') return undefined;
  return {
    sub,
    tenant,
    scopes: typeof scope === 'string' ? scope.split(' ').filter((part) => part !== '') : [],
    apps: apps === '*' ? '*' : Array.isArray(apps) ? apps.filter((app) => typeof app === 'string') : [],
    expiresAt: typeof exp === 'number' ? exp * 1000 : undefined,
  };
}

/** Another token of the same caller, who may do the same with it. */
export const sameCaller = (a: Identity, b: Identity): boolean => keyOf(a) === keyOf(b);

const keyOf = ({ sub, tenant, scopes, apps }: Identity): string =>
  JSON.stringify([tenant, sub, [...scopes].sort(), apps === '*' ? apps : [...apps].sort()]);

/** The token in an address's fragment (`#token=…`), and the fragment without it. */
export function tokenInFragment(hash: string): { token: string; rest: string } | undefined {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const token = fields.get('token')?.trim();
  if (!token) return undefined;
  fields.delete('token');
  const rest = fields.toString();
  return { token, rest: rest === '' ? '' : `#${rest}` };
}

/** What people paste: the token, `Bearer …`, or the whole address that the terminal printed. */
export function tokenIn(pasted: string): string {
  const text = pasted.trim().replace(/^bearer\s+/i, '');
  const hash = text.indexOf('#');
  return (hash < 0 ? undefined : tokenInFragment(text.slice(hash))?.token) ?? text;
}
