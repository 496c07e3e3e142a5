import { setTimeout as sleep } from 'node:timers/promises';
import { DBOSClient } from '@dbos-inc/dbos-sdk';
import pg from 'pg';
import type { Cleanup } from '../cleanup.ts';
import { Peer } from '../peer.ts';
import type { DbosWish, DirectWish } from '../peers/dbos.ts';
import { CONCURRENCY, type Contender } from './contender.ts';
import { Starts } from './starts.ts';

export const DBOS_POLL_MS = 5;
const LOOK_EVERY_MS = 20;
const LATEST_END_MS = 30_000;

type QueueWish = Omit<DbosWish, 'databaseUrl'>;

const AS_IT_COMES: QueueWish = { queue: 'as-it-comes' };
const POLLED: QueueWish = { queue: 'polled', pollMs: DBOS_POLL_MS, concurrency: CONCURRENCY };

export interface Dbos {
  /** A queue as it comes: looked into every second, and whatever is found is started. */
  readonly queue: Contender;
  /** A queue that is looked into this often, with a limit to what runs at once. */
  readonly polledQueue: Contender;
  /** Jobs a second that are started where they run, without a queue, until Postgres has them all as done. */
  direct(seconds: number): Promise<number>;
}

export async function dbos(cleanup: Cleanup, databaseUrl: string): Promise<Dbos> {
  const pool = cleanup.add(new pg.Pool({ connectionString: databaseUrl, max: 2 }), (made) => made.end());
  pool.on('error', () => {}); // The next query reports it.
  const peer = cleanup.add(new Peer('dbos'), (started) => started.stop());
  const starts = new Starts(peer);
  const work = (wish: QueueWish) => peer.call('work', { databaseUrl, ...wish });
  const rest = async () => {
    await peer.call('rest');
  };
  // Makes the tables and the queues: one that is made later is found by those who look a second after that.
  for (const wish of [AS_IT_COMES, POLLED]) {
    await work(wish);
    await rest();
  }
  const client = await DBOSClient.create({ systemDatabaseUrl: databaseUrl, applicationName: 'bench' });
  cleanup.add(client, () => client.destroy());

  const forget = async () => {
    await pool.query('DELETE FROM dbos.workflow_status');
    starts.forget();
  };
  const done = async () => {
    const text = `SELECT status, count(*)::int AS count FROM dbos.workflow_status WHERE status IN ('SUCCESS', 'ERROR') GROUP BY 1`;
    const { rows } = await pool.query<{ status: string; count: number }>(text);
    const of = (status: string) => rows.find((row) => row.status === status)?.count ?? 0;
    if (of('ERROR') > 0) throw new Error(`dbos_failed: ${of('ERROR')} workflows`);
    return of('SUCCESS');
  };

  const contender = (wish: QueueWish): Contender => {
    const submitOne = async (id?: string) => {
      const options = { workflowName: 'bench-job', queueName: wish.queue };
      await client.enqueue(options, id === undefined ? {} : { id });
    };
    return {
      begin: async () => {
        await forget();
        await work(wish);
      },
      rest,
      submitOne,
      submitMany: async (jobs) => {
        await Promise.all(Array.from({ length: jobs }, () => submitOne()));
      },
      starts: () => starts.all(),
      done,
    };
  };

  return {
    queue: contender(AS_IT_COMES),
    polledQueue: contender(POLLED),
    direct: async (seconds) => {
      await forget();
      await work({ queue: 'unused' });
      const wish: DirectWish = { seconds, concurrency: CONCURRENCY };
      const startedAt = performance.now();
      const jobs = await peer.call<number>('direct', wish);
      for (const latest = performance.now() + LATEST_END_MS; (await done()) < jobs; await sleep(LOOK_EVERY_MS)) {
        if (performance.now() > latest) throw new Error(`dbos_not_ended: ${await done()} of ${jobs} workflows`);
      }
      const took = (performance.now() - startedAt) / 1_000;
      await rest();
      return jobs / took;
    },
  };
}
