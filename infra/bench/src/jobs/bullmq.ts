import { Queue } from 'bullmq';
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
  const wish: BullMqWish = { port, queue: 'bench', concurrency: CONCURRENCY };
  const queue = new Queue<BenchJob>(wish.queue, { connection: { host: '127.0.0.1', port } });
  queue.on('error', () => {}); // The next call reports it.
  cleanup.add(queue, () => queue.close());
  const peer = cleanup.add(new Peer('bullmq'), (started) => started.stop());
  await peer.call('work', wish);
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
