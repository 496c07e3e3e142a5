import { DBOS } from '@dbos-inc/dbos-sdk';
import { serve } from './serve.ts';
import { type BenchJob, runJob, takeStarts } from './starts.ts';

export interface DbosWish {
  readonly databaseUrl: string;
  readonly queue: string;
  /** Default: none. */
  readonly concurrency?: number;
  /** Between two looks into the queue. Default: its own, a second. */
  readonly pollMs?: number;
}

export interface DirectWish {
  readonly seconds: number;
  readonly concurrency: number;
}

const workflow = DBOS.registerWorkflow(async (job: BenchJob) => runJob(job), { name: 'bench-job' });

/** Only errors. */
const quiet = {
  info() {},
  debug() {},
  warn() {},
  error: (entry: unknown) => console.error('dbos:', entry),
};

serve({
  /** Until `rest`, so that nobody looks into a queue while others are measured. */
  work: async ({ databaseUrl, queue, concurrency, pollMs }: DbosWish) => {
    DBOS.setConfig({ name: 'bench', systemDatabaseUrl: databaseUrl, logger: quiet, listenQueues: [queue] });
    await DBOS.launch();
    await DBOS.registerQueue(queue, {
      onConflict: 'always_update',
      ...(concurrency === undefined ? {} : { workerConcurrency: concurrency }),
      ...(pollMs === undefined ? {} : { minPollingIntervalMs: pollMs }),
    });
  },
  rest: () => DBOS.shutdown({ workflowCompletionTimeoutMS: 5_000 }),
  starts: takeStarts,
  /** Workflows that are started where they run, without a queue. Resolves with their number. */
  direct: async ({ seconds, concurrency }: DirectWish) => {
    const startedAt = performance.now();
    let jobs = 0;
    const lane = async () => {
      while (performance.now() - startedAt < seconds * 1_000) {
        await workflow({});
        jobs++;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    return jobs;
  },
});
