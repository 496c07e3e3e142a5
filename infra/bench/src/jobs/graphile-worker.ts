import { makeWorkerUtils } from 'graphile-worker';
import pg from 'pg';
import type { Cleanup } from '../cleanup.ts';
import { Peer } from '../peer.ts';
import type { GraphileWish } from '../peers/graphile-worker.ts';
import { CONCURRENCY, type Contender } from './contender.ts';
import { Starts } from './starts.ts';

/** graphile-worker deletes a job when it is done: what is recorded is what is no longer there. */
export async function graphileWorker(
  cleanup: Cleanup,
  databaseUrl: string,
  { batching }: { readonly batching: boolean },
): Promise<Contender> {
  const pool = cleanup.add(new pg.Pool({ connectionString: databaseUrl, max: 1 }), (made) => made.end());
  pool.on('error', () => {}); // The next query reports it.
  const utils = await makeWorkerUtils({ connectionString: databaseUrl });
  cleanup.add(utils, () => utils.release());
  await utils.migrate();
  const peer = cleanup.add(new Peer('graphile-worker'), (started) => started.stop());
  const wish: GraphileWish = { databaseUrl, concurrency: CONCURRENCY, batching };
  await peer.call('work', wish);
  const starts = new Starts(peer);
  const left = `SELECT count(*)::int AS jobs, count(last_error)::int AS failed FROM graphile_worker._private_jobs`;
  let submitted = 0;
  return {
    begin: async () => {
      submitted = 0;
      starts.forget();
    },
    rest: async () => {},
    submitOne: async (id) => {
      await utils.addJob('bench-job', { id });
    },
    submitMany: async (jobs) => {
      const specs = Array.from({ length: jobs }, () => ({ identifier: 'bench-job', payload: {} }));
      await utils.addJobs(specs);
      submitted += jobs;
    },
    starts: () => starts.all(),
    done: async () => {
      // What is accepted after the count was taken is not done.
      const before = submitted;
      const { jobs, failed } = (await pool.query<{ jobs: number; failed: number }>(left)).rows[0]!;
      if (failed > 0) throw new Error(`graphile_worker_failed: ${failed} jobs`);
      return Math.max(0, before - jobs);
    },
  };
}
