import { z } from 'zod';
import type { RevocationTarget } from '../auth/revoked.ts';
import type { Services } from '../services.ts';
import { type AnyRoute, route } from './route.ts';

const name = z.string().min(1).max(256);
const body = z
  .strictObject({ sub: name.optional(), jti: name.optional() })
  .refine(({ sub, jti }) => (sub === undefined) !== (jti === undefined), { message: 'give either sub or jti' });

export function revocationRoutes({ revocations, config, logger }: Services): AnyRoute[] {
  return [
    route({
      method: 'POST',
      url: '/v1/revocations',
      tag: 'service',
      summary:
        "Ends a user's tokens issued so far (sub), or one token (jti), with the connections that were opened by them",
      scope: 'admin',
      body,
      answers: {
        201: {
          description: 'Revoked at every edge within moments; kept until no token that it covers can be valid',
          schema: z.object({ sub: name.optional(), jti: name.optional(), at: z.string(), expires_at: z.string() }),
        },
      },
      handle: async ({ principal, body: { sub, jti }, reply }) => {
        const target = (sub === undefined ? { jti } : { sub }) as RevocationTarget;
        const { at } = await revocations.revoke(principal.tenant, target);
        logger.info({ tenant: principal.tenant, actor: principal.sub, ...target }, 'tokens were revoked');
        reply.code(201);
        const expires = at + config.TOOLSTREAM_MAX_TOKEN_AGE * 1000;
        return { ...target, at: new Date(at).toISOString(), expires_at: new Date(expires).toISOString() };
      },
    }),
  ];
}
