import {
  type DeadLetterDetails,
  deadLetterDetails,
  deadLetterId,
  deadLetterItem,
  redriven,
  token,
} from '@toolstream/proto-events';
import { ensureTraceparent } from '@toolstream/service-kit';
import { z } from 'zod';
import { type Principal, requireApp } from '../auth/principal.ts';
import { Refusal } from '../problems.ts';
import { idempotencyKey } from '../requests/idempotency.ts';
import { resolved } from '../requests/resolved.ts';
import type { Services } from '../services.ts';
import { type AnyRoute, route } from './route.ts';

const params = z.object({ id: deadLetterId });
const listQuery = z.object({
  app: token.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, 'must be the next of a page')
    .optional(),
});
/** Of arguments and a checkpoint that are artifacts, so much is shown in full. */
const SHOWN_BYTES = 8 * 1024 * 1024;

/** Jobs that died of being delivered too often, for whoever is to look into them and run their calls again. */
export function dlqRoutes({ deadLetters, artifacts }: Services): AnyRoute[] {
  /** Another tenant's is not found, like one that does not exist. */
  const letterOf = async (principal: Principal, id: string): Promise<DeadLetterDetails> => {
    const letter = await deadLetters.get(principal.tenant, id);
    if (!letter) throw new Refusal('not_found', 'There is no such dead letter; they are kept for 30 days.');
    requireApp(principal, letter.app);
    return letter;
  };

  return [
    route({
      method: 'GET',
      url: '/v1/dlq',
      tag: 'service',
      summary: 'Dead letters: jobs that were delivered too often without an end',
      scope: 'admin',
      query: listQuery,
      answers: {
        200: {
          description: 'The most recently changed first; `next`, if there are more, is the `before` of the next page',
          schema: z.object({ entries: z.array(deadLetterItem), next: z.string().optional() }),
        },
      },
      handle: ({ principal, query }) => {
        const { tenant, apps } = principal;
        if (query.app !== undefined) requireApp(principal, query.app);
        return deadLetters.list({ tenant, apps, ...query });
      },
    }),

    route({
      method: 'GET',
      url: '/v1/dlq/:id',
      tag: 'service',
      summary: 'One dead letter, with the arguments that its call would run with',
      scope: 'admin',
      params,
      answers: { 200: { description: 'The dead letter', schema: deadLetterDetails } },
      handle: async ({ principal, params: { id } }) => {
        const { checkpoint, ...letter } = await letterOf(principal, id);
        const scope = { tenant: principal.tenant, maxBytes: SHOWN_BYTES };
        return {
          ...letter,
          arguments: await resolved(artifacts, letter.arguments, scope),
          ...(checkpoint === undefined ? {} : { checkpoint: await resolved(artifacts, checkpoint, scope) }),
        };
      },
    }),

    route({
      method: 'POST',
      url: '/v1/dlq/:id/redrive',
      tag: 'service',
      summary: 'Run the call of a dead letter again: in its run while that is live, in a new run once it has ended',
      scope: 'admin',
      idempotent: true,
      params,
      body: z.object({ reason: z.string().max(1000).optional() }),
      answers: {
        202: {
          description:
            'What the redrive led to; a dead letter is redriven once, and every later request answered with that',
          schema: redriven.extend({ id: z.string() }),
          headers: { 'Idempotent-Replayed': '`true` when it had been redriven before' },
        },
      },
      handle: async ({ principal, params: { id }, body: { reason }, request, reply }) => {
        // The dead letter is the key: another one adds nothing, and is checked like everywhere.
        idempotencyKey(request.headers['idempotency-key']);
        await letterOf(principal, id);
        const outcome = await deadLetters.redrive({
          tenant: principal.tenant,
          actor: principal.sub,
          traceparent: ensureTraceparent(request.headers.traceparent),
          id,
          ...(reason === undefined ? {} : { reason }),
        });
        if (outcome.replayed) reply.header('Idempotent-Replayed', 'true');
        reply.code(202).header('Location', `/v1/runs/${outcome.redriven.run_id}`);
        return { id, ...outcome.redriven };
      },
    }),
  ];
}
