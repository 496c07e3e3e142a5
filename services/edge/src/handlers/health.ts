import { METRICS_CONTENT_TYPE } from '@toolstream/service-kit';
import { z } from 'zod';
import type { Services } from '../services.ts';
import { type AnyRoute, route } from './route.ts';

const report = z.object({
  ready: z.boolean(),
  checks: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});

export function healthRoutes({ readiness, metricsText, clients }: Services): AnyRoute[] {
  return [
    route({
      method: 'GET',
      url: '/healthz',
      tag: 'service',
      summary: 'The process answers',
      scope: 'none',
      answers: { 200: { description: 'Alive', schema: z.object({ status: z.literal('ok') }) } },
      handle: () => ({ status: 'ok' }),
    }),
    route({
      method: 'GET',
      url: '/readyz',
      tag: 'service',
      summary: 'The service can do its work: NATS, orchestrator, projection and tools are there',
      scope: 'none',
      answers: {
        200: { description: 'Ready', schema: report },
        503: { description: 'Not ready; checks say why', schema: report },
      },
      handle: async ({ reply }) => {
        const { ready, checks } = await readiness();
        const { leaving } = clients;
        reply.code(ready && !leaving ? 200 : 503);
        return { ready: ready && !leaving, checks: { ...checks, draining: leaving } };
      },
    }),
    route({
      method: 'GET',
      url: '/metrics',
      tag: 'service',
      summary: 'Metrics in the text format of Prometheus',
      scope: 'none',
      answers: { 200: { description: 'Metrics', contentType: 'text/plain' } },
      handle: async ({ reply }) => {
        reply.header('Content-Type', METRICS_CONTENT_TYPE);
        return metricsText();
      },
    }),
  ];
}
