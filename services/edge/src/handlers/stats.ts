import { deliveryReport, MAX_TREND_BUCKETS, statsQueryReply } from '@toolstream/proto-events';
import { z } from 'zod';
import type { Services } from '../services.ts';
import { type AnyRoute, route } from './route.ts';
import { windowMs } from './window.ts';

const HOUR_MS = 3_600_000;
const QUARTER_MS = 900_000;

const delivery = z.object({ samples: z.number().int(), p50_ms: z.number().nullable(), p95_ms: z.number().nullable() });

export function statsRoutes({ projection, metrics, delivery: ofAll }: Services): AnyRoute[] {
  return [
    route({
      method: 'GET',
      url: '/v1/stats',
      tag: 'tools',
      summary: 'What the tools did over a window that ends now',
      scope: 'runs:read',
      query: z.object({
        window: windowMs({ max: '31d' }).default(HOUR_MS),
        buckets: z.coerce.number().int().min(1).max(MAX_TREND_BUCKETS).optional(),
      }),
      answers: {
        200: {
          description:
            'Per tool, with `buckets` also its trend and failures; `delivery` is the time from an event stored to its relay, as this edge measured it last',
          schema: statsQueryReply.extend({ delivery }),
        },
      },
      handle: async ({ principal, query: { window, buckets } }) => {
        const { tenant, apps } = principal;
        const stats = await projection.stats({
          tenant,
          apps,
          window_ms: window,
          ...(buckets === undefined ? {} : { buckets }),
        });
        return { ...stats, delivery: metrics.delivery() };
      },
    }),

    route({
      method: 'GET',
      url: '/v1/delivery',
      tag: 'service',
      summary: 'How delivery went at all edges over a window that ends now: delays, reconnects, gaps, slow clients',
      // How many clients there are and how much happens is about all tenants together: no business of each one's readers.
      scope: 'admin',
      query: z.object({ window: windowMs({ min: '10s', max: '1h' }).default(QUARTER_MS) }),
      answers: {
        200: { description: 'The figures of the edges that answered, together and in parts', schema: deliveryReport },
      },
      handle: ({ query }) => ofAll.report(query.window),
    }),
  ];
}
