import { statsQueryReply } from '@toolstream/proto-events';
import { z } from 'zod';
import type { Services } from '../services.ts';
import { type AnyRoute, route } from './route.ts';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const MAX_WINDOW_MS = 31 * UNITS.d;

const windowMs = z
  .string()
  .regex(/^[1-9]\d{0,6}[smhd]$/, 'must be a number and s, m, h or d, as 15m')
  .transform((text) => Number(text.slice(0, -1)) * UNITS[text.slice(-1) as keyof typeof UNITS])
  .refine((ms) => ms <= MAX_WINDOW_MS, 'must be at most 31d');

const delivery = z.object({ samples: z.number().int(), p50_ms: z.number().nullable(), p95_ms: z.number().nullable() });

export function statsRoutes({ projection, metrics }: Services): AnyRoute[] {
  return [
    route({
      method: 'GET',
      url: '/v1/stats',
      tag: 'tools',
      summary: 'What the tools did over a window that ends now',
      scope: 'runs:read',
      query: z.object({ window: windowMs.default(UNITS.h) }),
      answers: {
        200: {
          description:
            'Per tool; `delivery` is the time from an event stored to its relay, as this edge measured it last',
          schema: statsQueryReply.extend({ delivery }),
        },
      },
      handle: async ({ principal, query }) => {
        const { tenant, apps } = principal;
        const stats = await projection.stats({ tenant, apps, window_ms: query.window });
        return { ...stats, delivery: metrics.delivery() };
      },
    }),
  ];
}
