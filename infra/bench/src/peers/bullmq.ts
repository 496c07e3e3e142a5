import { createPostgresBackend, Worker, type WorkerOptions } from 'bullmq';
import { serve } from './serve.ts';
import { type BenchJob, runJob, takeStarts } from './starts.ts';

export interface BullMqWish {
  readonly store: { readonly redis: { readonly port: number } } | { readonly postgres: string };
  readonly queue: string;
  readonly concurrency: number;
}

type Work = ConstructorParameters<typeof Worker<BenchJob>>[1];

serve({
  work: async ({ store, queue, concurrency }: BullMqWish) => {
    const worker = workerOn(store, queue, async ({ data }) => runJob(data), { concurrency });
    worker.on('error', (error) => console.error(`bullmq: ${error.message}`));
    await worker.waitUntilReady();
  },
  starts: takeStarts,
});

function workerOn(store: BullMqWish['store'], queue: string, work: Work, options: Pick<WorkerOptions, 'concurrency'>) {
  if ('postgres' in store)
    return new Worker(queue, work, { ...options, connection: store.postgres }, createPostgresBackend);
  const connection = { host: '127.0.0.1', port: store.redis.port, maxRetriesPerRequest: null };
  return new Worker<BenchJob>(queue, work, { ...options, connection });
}
