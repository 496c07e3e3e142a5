import { setTimeout as sleep } from 'node:timers/promises';
import { withCleanup } from './cleanup.ts';
import { Crowds } from './crowds.ts';
import { edgeCounter } from './edge-metrics.ts';
import { benchRun, lifecycle, stampedId } from './events.ts';
import type { CrowdReport, Place } from './follower.ts';
import { exampleFrame } from './frames.ts';
import { benchLog, lastSequences } from './log.ts';
import { mebibytes, peakDuring, residentBytes, settledBytes } from './memory.ts';
import type { BenchOptions } from './options.ts';
import { alternate, ascending, quantile, type Target } from './pairs.ts';
import { Peer } from './peer.ts';
import type { PublisherSetup } from './peers/publisher.ts';
import type { Room } from './peers/room.ts';
import { measured, type Report, type Row } from './report.ts';
import { benchNats } from './servers.ts';
import { benchStack, edgeWithGc } from './stack.ts';

const RUNS = 50;
const EVENTS_PER_SECOND = 250;
const PROCESSES = 2;
/** Events go on from before the drop until everybody is back. */
const BEFORE_MS = 1_000;
/** Longer than a feed outlives its last watcher, so the edge has nothing in memory of what was missed. */
const AWAY_MS = 7_000;
const AFTER_MS = 4_000;
const SETTLE_MS = 15_000;

interface Storm {
  readonly report: CrowdReport;
  readonly historyReads: number;
  /** From the first attempt to come back until the last client was caught up. */
  readonly allBackMs: number;
  readonly before: number;
  readonly peak: number;
  readonly after: number;
}

/**
 * Thousands of clients of fifty runs lose their connections at the same moment and are all back seven seconds later, each
 * with its cursor, while events go on. Each client proves that its frames follow each other without a break up to the last
 * event in the log. Beside it socket.io with connection-state recovery, on its in-memory adapter.
 */
export function storm({ quick, say }: BenchOptions): Promise<Report> {
  const clients = quick ? 1_000 : 5_000;
  return withCleanup(async (cleanup) => {
    const { url: natsUrl } = await benchNats(cleanup);
    const runs = Array.from({ length: RUNS }, (_, number) => benchRun(number));
    const edge = await benchStack(cleanup, { natsUrl, databaseUrl: 'postgres://not.needed/', services: edgeWithGc });
    const peer = (name: string) => cleanup.add(new Peer(name), (started) => started.stop());
    const publisher = peer('publisher');
    const setup: PublisherSetup = { natsUrl, route: 'log', runs, toolsPerRun: 4 };
    await publisher.call('setUp', setup);
    const log = await benchLog(cleanup, natsUrl);
    const room = peer('room');
    const { port } = await room.call<{ port: number }>('start', { recoverableMs: 120_000 } satisfies Room);
    // Every client is a user with a token of its own, as they are in a storm.
    const tokens = await Promise.all(Array.from({ length: clients }, (_, number) => edge.tokenOf(`user-${number}`)));
    const runOf = (number: number) => runs[number % RUNS]!.run;
    const places = {
      edge: tokens.map((token, number): Place => ({ server: 'edge', url: edge.edgeUrl, token, run: runOf(number) })),
      room: tokens.map((_, number): Place => ({ server: 'room', port, run: runOf(number) })),
    };
    const rooms = runs.map(({ run }) => run);
    const seconds = (BEFORE_MS + AWAY_MS + AFTER_MS) / 1_000;
    const emission = {
      rate: EVENTS_PER_SECOND,
      seconds,
      rooms,
      like: exampleFrame(lifecycle(runs[0]!, 0, 0, stampedId(0, 0))),
    };

    const turn = async (server: 'edge' | 'room'): Promise<Storm> => {
      const pid = server === 'edge' ? edge.pidOf('edge-1') : room.pid;
      const crowds = new Crowds(cleanup, PROCESSES);
      await crowds.connect(places[server]);
      const before = await settledBytes(pid);
      const readsBefore = await edgeCounter(edge.edgeUrl, HISTORY_READS);
      const emitted = (server === 'edge' ? publisher : room).call('emit', emission);
      emitted.catch(() => {}); // Told below, unless something else fails before.
      await sleep(BEFORE_MS);
      await crowds.drop();
      await sleep(AWAY_MS);
      const { peak, result } = await peakDuring(pid, async () => {
        const began = performance.now();
        await crowds.comeBack();
        const allBackMs = performance.now() - began;
        await emitted;
        const expected = server === 'edge' ? await lastSequences(log, runs) : (await crowds.read()).furthest;
        return { allBackMs, report: await crowds.complete(expected, SETTLE_MS) };
      });
      const after = await settledBytes(pid);
      const historyReads = (await edgeCounter(edge.edgeUrl, HISTORY_READS)) - readsBefore;
      await crowds.leave();
      await sleep(500);
      return { ...result, historyReads, before, peak, after };
    };
    const storms = await alternate(
      { edge: () => turn('edge'), room: () => turn('room') },
      { rounds: quick ? 1 : 3, warmUp: 0, restMs: 500 },
      (round, all) => say(`round ${round + 1}: ${roundText(all)}`),
    );
    const frames = Math.round(storms.edge[0]!.report.frames / clients);
    return {
      rows: rowsOf(clients, storms),
      notes: [
        `each client was sent some ${frames} events after it came back; feeds had ended, rings were empty`,
        `the edge took any number of connections a second (TOOLSTREAM_CONNECTS_PER_SECOND=0; by default 1,000), and is at ${Math.round(mebibytes(residentBytes(edge.pidOf('edge-1'))))} MiB after all`,
      ],
    };
  });
}

const HISTORY_READS = 'toolstream_edge_history_reads';

type Storms = Readonly<Record<'edge' | 'room', readonly Storm[]>>;

function rowsOf(clients: number, storms: Storms): Row[] {
  const what = `${clients} clients of ${RUNS} runs at once`;
  const row = (of: 'edge' | 'room', text: string, unit: string, value: (storm: Storm) => number, target?: Target) =>
    measured(
      { benchmark: 'storm', name: `${what}, ${of === 'edge' ? 'edge' : 'socket.io'}: ${text}`, unit },
      storms[of].map(value),
      target,
    );
  const both = (text: string, unit: string, value: (storm: Storm) => number, target?: Target): Row[] => [
    row('edge', text, unit, value, target),
    row('room', text, unit, value),
  ];
  return [
    ...both('complete', '%', complete, { sense: 'at_least', value: 100 }),
    ...both('replay p99', 'ms', ({ report }) => replay(report, 0.99), { sense: 'at_most', value: 2_000 }),
    ...both('replay p50', 'ms', ({ report }) => replay(report, 0.5)),
    row('edge', 'history reads per run', '', ({ historyReads }) => historyReads / RUNS, { sense: 'at_most', value: 2 }),
    row('edge', 'snapshots', '', ({ report }) => report.snapshots),
    ...both('all caught up after', 's', ({ allBackMs }) => allBackMs / 1_000),
    measured(
      { benchmark: 'storm', name: `${what}, edge: peak of the last storm / of the first`, unit: '×' },
      [storms.edge.at(-1)!.peak / storms.edge[0]!.peak],
      { sense: 'at_most', value: 1.15 },
    ),
    ...both('memory before', 'MiB', ({ before }) => mebibytes(before)),
    ...both('memory at its peak', 'MiB', ({ peak }) => mebibytes(peak)),
    ...both('memory after', 'MiB', ({ after }) => mebibytes(after)),
  ];
}

const complete = ({ report }: Storm): number => (100 * report.complete) / report.clients;
const replay = ({ replays }: CrowdReport, q: number): number => quantile(ascending(replays), q);

const roundText = (all: Readonly<Record<string, Storm>>): string =>
  Object.entries(all)
    .map(
      ([name, storm]) =>
        `${name} ${complete(storm)}% complete, p99 ${Math.round(replay(storm.report, 0.99))} ms, ${storm.historyReads} reads`,
    )
    .join('; ');
