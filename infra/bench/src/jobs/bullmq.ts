import { createPostgresBackend, Queue } from 'bullmq';
import type { Cleanup } from '../cleanup.ts';
import { Peer } from '../peer.ts';
import type { BullMqWish } from '../peers/bullmq.ts';
import type { BenchJob } from '../peers/starts.ts';
import { CONCURRENCY, type Contender } from './contender.ts';
import { startRedis } from './redis.ts';
import { Starts } from './starts.ts';

/** BullMQ as it comes; its Redis writes to disk every second. */
export async function bullMq(cleanup: Cleanup, file: string): Promise<Contender> {
  const { port } = await startRedis(cleanup, file);
  const queue = new Queue<BenchJob>(QUEUE, { connection: { host: '127.0.0.1', port } });
  return contender(cleanup, queue, { redis: { port } });
}

/** BullMQ on its other store, as it comes. */
export async function bullMqOnPostgres(cleanup: Cleanup, url: string): Promise<Contender> {
  const queue = new Queue(QUEUE, { connection: { connectionString: url, migrate: true } }, createPostgresBackend);
  await queue.waitUntilReady();
  return contender(cleanup, queue, { postgres: url });
}

const QUEUE = 'bench';

/** What both stores' queues offer here. */
type Jobs = Pick<Queue<BenchJob>, 'add' | 'addBulk' | 'clean' | 'getJobCounts' | 'close'> & {
  on(event: 'error', listener: () => void): unknown;
};

async function contender(cleanup: Cleanup, queue: Jobs, store: BullMqWish['store']): Promise<Contender> {
  queue.on('error', () => {}); // The next call reports it.
  cleanup.add(queue, () => queue.close());
  const peer = cleanup.add(new Peer('bullmq'), (started) => started.stop());
  await peer.call('work', { store, queue: QUEUE, concurrency: CONCURRENCY } satisfies BullMqWish);
  const starts = new Starts(peer);
  const counts = () => queue.getJobCounts('completed', 'failed');
  return {
    begin: async () => {
      starts.forget();
      await queue.clean(0, 0, 'completed');
      const { completed = 0 } = await counts();
      if (completed > 0) throw new Error(`bullmq_not_clean: ${completed} jobs of the turn before are still there`);
    },
    rest: async () => {},
    submitOne: async (id) => {
      await queue.add('bench-job', { id });
    },
    submitMany: async (jobs) => {
      await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'bench-job', data: {} })));
    },
    starts: () => starts.all(),
    done: async () => {
      const { completed = 0, failed = 0 } = await counts();
      if (failed > 0) throw new Error(`bullmq_failed: ${failed} jobs`);
      return completed;
    },
  };
}
