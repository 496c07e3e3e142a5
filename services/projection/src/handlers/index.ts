import { liveQuery, querySubject, runQuery, runsQuery, statsQuery } from '@toolstream/proto-events';
import type { CommandEndpoint, Logger } from '@toolstream/service-kit';
import { z } from 'zod';
import { type QueryContext, QueryRejection } from './context.ts';
import { live } from './live.ts';
import { readPositions } from './positions.ts';
import { run } from './run.ts';
import { runs } from './runs.ts';
import { statsOf } from './stats.ts';

const nothing = z.object({});

/** Every query that the projection answers, by name. Any instance answers, also one that stands by. */
export function queryEndpoints(context: QueryContext, log: Logger): Record<string, CommandEndpoint> {
  return {
    run: endpoint('run', runQuery, (query) => run(context, query), log),
    runs: endpoint('runs', runsQuery, (query) => runs(context, query), log),
    stats: endpoint('stats', statsQuery, statsOf(context), log),
    positions: endpoint('positions', nothing, () => readPositions(context), log),
    live: endpoint('live', liveQuery, (query) => live(context, query), log),
  };
}

const refused = (code: string, message: string) => ({ error: { code, message } });

function endpoint<S extends z.ZodType>(
  name: string,
  schema: S,
  answer: (query: z.infer<S>) => Promise<unknown>,
  log: Logger,
): CommandEndpoint {
  return {
    subject: querySubject(name),
    handler: async (request) => {
      const query = schema.safeParse(request);
      if (!query.success) return refused('bad_request', z.prettifyError(query.error));
      try {
        return await answer(query.data);
      } catch (error) {
        if (error instanceof QueryRejection) return refused(error.code, error.message);
        log.warn({ query: name, error }, 'a query could not be answered');
        return refused('unavailable', 'The tables cannot be read at the moment.');
      }
    },
  };
}
