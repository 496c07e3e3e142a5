import { Logger, run } from 'graphile-worker';
import { serve } from './serve.ts';
import { type BenchJob, runJob, takeStarts } from './starts.ts';

export interface GraphileWish {
  readonly databaseUrl: string;
  readonly concurrency: number;
  /** Jobs are fetched and completed many at once, as its guide to performance says. */
  readonly batching: boolean;
}

const quiet = new Logger(() => (level, message) => {
  if (level === 'error') console.error(`graphile-worker: ${message}`);
});

serve({
  work: async ({ databaseUrl, concurrency, batching }: GraphileWish) => {
    await run({
      preset: {
        worker: {
          connectionString: databaseUrl,
          concurrentJobs: concurrency,
          // What its documentation recommends for so many jobs at once.
          maxPoolSize: concurrency + 2,
          logger: quiet,
          ...(batching ? { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } : {}),
        },
      },
      noHandleSignals: true,
      parsedCronItems: [],
      taskList: {
        'bench-job': async (payload) => {
          runJob(payload as BenchJob);
        },
      },
    });
  },
  starts: takeStarts,
});
