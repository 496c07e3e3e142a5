import { findRedisServer, ProgramNotFound, startPostgres } from '@toolstream/testkit';
import { type Cleanup, withCleanup } from './cleanup.ts';
import { watchCpu } from './cpu.ts';
import { bullMq, bullMqOnPostgres } from './jobs/bullmq.ts';
import {
  busyTurn,
  CONCURRENCY,
  type Contender,
  type Latency,
  type LightLoad,
  lightTurn,
  type Started,
  startDelays,
} from './jobs/contender.ts';
import { DBOS_POLL_MS, dbos } from './jobs/dbos.ts';
import { graphileWorker } from './jobs/graphile-worker.ts';
import { type Toolstream, toolstream } from './jobs/toolstream.ts';
import type { BenchOptions } from './options.ts';
import { alternate, type Quantiles, type Target } from './pairs.ts';
import { compared, measured, type Report, type Row, skipped } from './report.ts';
import { temporaryFolder } from './servers.ts';

const RATE = 50;
const START: Target = { sense: 'at_most', value: 3 };
const AHEAD: Target = { sense: 'at_least', value: 1 };
const IDLE_SECONDS = 2;

/** A peer under the name that its rows carry. */
interface Named<T> {
  readonly name: string;
  /** Set up as it comes; else as its makers say that it is faster, which is shown but not judged. */
  readonly asItComes: boolean;
  readonly run: T;
}

interface Peers {
  readonly latency: readonly Named<Latency>[];
  readonly throughput: readonly Named<(seconds: number) => Promise<number>>[];
  /** Names and reasons. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Jobs that do nothing, by Toolstream and by the durable systems that people would otherwise take: how soon after it was
 * handed over a job's first line runs, and how many a second are recorded as done.
 */
export function jobs({ quick, say }: BenchOptions): Promise<Report> {
  return withCleanup(async (cleanup) => {
    const ours = await toolstream(cleanup);
    const peers = await startPeers(cleanup);
    for (const { name, reason } of peers.missing) say(`${name} skipped: ${reason}`);
    const idle = await idleCores(ours);
    const rows = [
      ...(await startRows(ours, peers, { rate: RATE, seconds: quick ? 2 : 4 }, quick ? 3 : 7, say)),
      ...(await throughputRows(ours, peers, quick ? 2 : 4, quick ? 3 : 5, say)),
    ];
    return {
      rows,
      notes: [
        ...peers.missing.map(({ name, reason }) => `${name} skipped: ${reason}`),
        `Toolstream's processes use ${(idle * 100).toFixed(1)}% of a core while they have nothing to do, also during the others' turns`,
      ],
    };
  });
}

async function startPeers(cleanup: Cleanup): Promise<Peers> {
  const postgres = cleanup.add(await startPostgres({ dataDir: await temporaryFolder(cleanup) }), (it) => it.stop());
  const graphile = await graphileWorker(cleanup, await postgres.createDatabase('graphile'), { batching: false });
  const batching = await graphileWorker(cleanup, await postgres.createDatabase('batching'), { batching: true });
  const bullPostgres = await bullMqOnPostgres(cleanup, await postgres.createDatabase('bullmq'));
  const dbosPeer = await dbos(cleanup, await postgres.createDatabase('dbos'));
  const busy = (contender: Contender) => (seconds: number) => busyTurn(contender, seconds);
  const inPostgres: Peers = {
    latency: [
      { name: 'graphile-worker', asItComes: true, run: graphile },
      { name: 'BullMQ on Postgres', asItComes: true, run: bullPostgres },
      { name: 'DBOS, queue', asItComes: true, run: dbosPeer.queue },
      { name: `DBOS, queue polled every ${DBOS_POLL_MS} ms`, asItComes: false, run: dbosPeer.polledQueue },
    ],
    throughput: [
      { name: 'graphile-worker', asItComes: true, run: busy(graphile) },
      { name: 'BullMQ on Postgres', asItComes: true, run: busy(bullPostgres) },
      { name: 'graphile-worker, batching', asItComes: false, run: busy(batching) },
      { name: 'DBOS, without a queue', asItComes: true, run: (seconds) => dbosPeer.direct(seconds) },
      { name: `DBOS, queue polled every ${DBOS_POLL_MS} ms`, asItComes: false, run: busy(dbosPeer.polledQueue) },
    ],
    missing: [],
  };
  try {
    const redis = await findRedisServer();
    const bull = await bullMq(cleanup, redis.path);
    return {
      latency: [{ name: 'BullMQ on Redis', asItComes: true, run: bull }, ...inPostgres.latency],
      throughput: [{ name: 'BullMQ on Redis', asItComes: true, run: busy(bull) }, ...inPostgres.throughput],
      missing: [],
    };
  } catch (error) {
    if (!(error instanceof ProgramNotFound)) throw error;
    const reason = `no redis-server found; install one or set REDIS_SERVER_BIN to it (${error.tried.join('; ')})`;
    return { ...inPostgres, missing: [{ name: 'BullMQ on Redis', reason }] };
  }
}

async function idleCores({ stack }: Toolstream): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const stopwatch = watchCpu(stack.processes());
  await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1_000));
  return stopwatch().reduce((sum, { seconds }) => sum + seconds, 0) / IDLE_SECONDS;
}

interface Starts {
  /** From the moment just before the job is handed over. */
  readonly sent: Quantiles;
  /** From the moment when it was stored. */
  readonly accepted?: Quantiles;
}

async function startRows(
  ours: Toolstream,
  peers: Peers,
  load: LightLoad,
  rounds: number,
  say: BenchOptions['say'],
): Promise<Row[]> {
  const delays = ({ sent, starts }: Started): Starts => ({ sent: startDelays(sent, starts) });
  const contenders: Record<string, () => Promise<Starts>> = {
    Toolstream: async () => {
      const started = await lightTurn(ours, load);
      return { ...delays(started), accepted: startDelays(await ours.acceptances(), started.starts) };
    },
  };
  for (const { name, run } of peers.latency)
    contenders[name] = () => ofPeer(name, async () => delays(await lightTurn(run, load)));
  const results = await alternate(contenders, { rounds, warmUp: 1, restMs: 200 }, (round, all) =>
    say(
      `start, round ${round + 1}: ${roundText(all, ({ sent }) => `${sent.p50.toFixed(2)}/${sent.p99.toFixed(1)} ms`)}`,
    ),
  );
  const place = (name: string) => ({ benchmark: 'jobs', name, unit: 'ms' });
  const own = results.Toolstream!;
  const rows = (['p50', 'p99'] as const).map((q) =>
    measured(
      place(`accepted → first line, ${RATE}/s, ${q}`),
      own.map(({ accepted }) => accepted![q]),
      q === 'p50' ? START : undefined,
    ),
  );
  for (const { name } of peers.latency) {
    for (const q of ['p50', 'p99'] as const) {
      const of = (all: readonly Starts[]) => all.map(({ sent }) => sent[q]);
      rows.push(compared(place(`sent → first line, ${q} / ${name}`), of(own), of(results[name]!)));
    }
  }
  for (const { name } of peers.missing) rows.push(skipped(place(`sent → first line / ${name}`)));
  return rows;
}

async function throughputRows(
  ours: Toolstream,
  peers: Peers,
  seconds: number,
  rounds: number,
  say: BenchOptions['say'],
): Promise<Row[]> {
  const contenders: Record<string, () => Promise<number>> = { Toolstream: () => ours.callsPerSecond(seconds) };
  for (const { name, run } of peers.throughput) contenders[name] = () => ofPeer(name, () => run(seconds));
  const results = await alternate(contenders, { rounds, warmUp: 1, restMs: 500 }, (round, all) =>
    say(`throughput, round ${round + 1}: ${roundText(all, (perSecond) => `${Math.round(perSecond)}/s`)}`),
  );
  const place = (name: string) => ({ benchmark: 'jobs', name, unit: '/s' });
  const row = ({ name, asItComes }: Peers['throughput'][number]) =>
    compared(
      place(`done, ${CONCURRENCY} at a time / ${name}`),
      results.Toolstream!,
      results[name]!,
      asItComes ? AHEAD : undefined,
    );
  return [
    ...peers.throughput.map(row),
    ...peers.missing.map(({ name }) => skipped(place(`done, ${CONCURRENCY} at a time / ${name}`))),
  ];
}

async function ofPeer<T>(name: string, turn: () => Promise<T>): Promise<T> {
  try {
    return await turn();
  } catch (error) {
    throw new Error(`peer_failed: ${name}: ${(error as Error).message}`, { cause: error });
  }
}

const roundText = <T>(all: Readonly<Record<string, T>>, text: (result: T) => string): string =>
  Object.entries(all)
    .map(([name, result]) => `${name} ${text(result)}`)
    .join(', ');
