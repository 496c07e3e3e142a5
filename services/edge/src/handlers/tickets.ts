import { z } from 'zod';
import type { Services } from '../services.ts';
import { type AnyRoute, route } from './route.ts';

export function ticketRoutes({ tickets }: Services): AnyRoute[] {
  return [
    route({
      method: 'POST',
      url: '/v1/tickets',
      tag: 'service',
      summary: 'A ticket for one WebSocket connection: single use, 30 s, at every edge',
      scope: 'any',
      answers: {
        201: {
          description: 'Connect to /ws?ticket=…',
          schema: z.object({ ticket: z.string(), expires_at: z.string() }),
        },
      },
      handle: async ({ principal, reply }) => {
        const ticket = await tickets.issue(principal);
        reply.code(201).header('Cache-Control', 'no-store');
        return ticket;
      },
    }),
  ];
}
