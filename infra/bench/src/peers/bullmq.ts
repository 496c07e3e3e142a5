import { Worker } from 'bullmq';
import { serve } from './serve.ts';
import { type BenchJob, runJob, takeStarts } from './starts.ts';

export interface BullMqWish {
  readonly port: number;
  readonly queue: string;
  readonly concurrency: number;
}

serve({
  work: async ({ port, queue, concurrency }: BullMqWish) => {
    const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
    const worker = new Worker<BenchJob>(queue, async ({ data }) => runJob(data), { connection, concurrency });
    worker.on('error', (error) => console.error(`bullmq: ${error.message}`));
    await worker.waitUntilReady();
  },
  starts: takeStarts,
});
