import { isDeepStrictEqual } from 'node:util';
import { type ServiceSpec, type StackFacts, toolstreamServices } from '@toolstream/cli';
import { fold, toSnapshot } from '@toolstream/domain';
import { allArrived } from './arrivals.ts';
import { withCleanup } from './cleanup.ts';
import { edgeGauge } from './edge-metrics.ts';
import { benchRun, stampedId, working } from './events.ts';
import { exampleFrame } from './frames.ts';
import { benchLog } from './log.ts';
import { mebibytes, settledBytes } from './memory.ts';
import type { BenchOptions } from './options.ts';
import { alternate, median, quantilesOf, type Target } from './pairs.ts';
import { Peer } from './peer.ts';
import type { PublisherSetup } from './peers/publisher.ts';
import type { Sipped } from './peers/sipper.ts';
import { compared, measured, type Report, type Row } from './report.ts';
import { benchNats } from './servers.ts';
import { bareDoor, type Door, edgeDoor, roomDoor } from './socket.ts';
import { benchStack, edgeWithGc } from './stack.ts';

const FAST = 200;
const AUDIENCES = 2;
/** Together about a megabyte a second for each client: soon more than the kernel keeps for one that does not read. */
const EVENTS_PER_SECOND = 60;
const DETAIL_BYTES = 16_000;
const TOOLS = 4;
const FINISH_MS = 30_000;
const TARGET: Target = { sense: 'at_most', value: 1.2 };
const NAMES = { edge: 'edge', bare: 'bare ws', room: 'socket.io' } as const;

type Server = keyof typeof NAMES;

interface Turn {
  readonly p99: number;
  /** Growth of the server's memory while the slow client was there. */
  readonly grown?: number;
  /** Bytes that the server kept for it. */
  readonly kept?: number;
  readonly sipped?: Sipped;
  readonly right?: boolean;
}

/**
 * One client that reads 1 KB a second among 200 that read what comes, all of one run. What the fast ones notice is the p99
 * of their delay with the slow one by that without it, in turns. Then the slow one reads on, and must end with the state
 * that the log has.
 */
export function slowClient({ quick, say }: BenchOptions): Promise<Report> {
  return withCleanup(async (cleanup) => {
    const { url: natsUrl } = await benchNats(cleanup);
    const run = benchRun(0);
    const edge = await benchStack(cleanup, { natsUrl, services: withProjection });
    const log = await benchLog(cleanup, natsUrl);
    const peer = (name: string) => cleanup.add(new Peer(name), (started) => started.stop());
    const publisher = peer('publisher');
    const setup: PublisherSetup = { natsUrl, route: 'log', runs: [run], toolsPerRun: TOOLS, detailBytes: DETAIL_BYTES };
    await publisher.call('setUp', setup);
    const peers = { bare: peer('broadcast'), room: peer('room') };
    const portOf = async (of: Peer) => (await of.call<{ port: number }>('start')).port;
    const doors: Record<Server, Door> = {
      edge: edgeDoor(edge.edgeUrl, edge.token, run.run),
      bare: bareDoor(await portOf(peers.bare)),
      room: roomDoor(await portOf(peers.room), run.run),
    };
    const like = exampleFrame(working(run, 0, 1_000, stampedId(0, 0), DETAIL_BYTES));
    const emission = { rate: EVENTS_PER_SECOND, seconds: quick ? 4 : 6, like, rooms: [run.run] };
    const sipper = peer('sipper');

    const turn = async (server: Server, audiences: readonly Peer[], slow: boolean): Promise<Turn> => {
      const pid = server === 'edge' ? edge.pidOf('edge-1') : peers[server].pid;
      if (slow) await sipper.call('connect', { door: doors[server] });
      for (const audience of audiences) await audience.call('reset');
      const before = await settledBytes(pid);
      const { sent } = await (server === 'edge' ? publisher : peers[server]).call<{ sent: number }>('emit', emission);
      const { delays } = await allArrived(audiences, sent * FAST, FINISH_MS);
      const { p99 } = quantilesOf(delays);
      if (!slow) return { p99 };
      const kept =
        server === 'edge'
          ? await edgeGauge(edge.edgeUrl, 'toolstream_edge_waiting_bytes')
          : await peers[server].call<number>('waiting');
      const grown = (await settledBytes(pid)) - before;
      if (server !== 'edge') {
        await sipper.call('finish', { until: 0, withinMs: 0 });
        return { p99, grown, kept };
      }
      const stored = await log.readRun(run);
      const last = stored.at(-1)!.seq;
      const sipped = await sipper.call<Sipped>('finish', { until: last, withinMs: FINISH_MS });
      const state = fold(stored.map((event) => ({ event: event.event(), seq: event.seq })));
      const right =
        state !== undefined && isDeepStrictEqual(sipped.state, JSON.parse(JSON.stringify(toSnapshot(state, ''))));
      return { p99, grown, kept, sipped, right };
    };

    const rows: Row[] = [];
    const notes: string[] = [];
    for (const server of ['edge', 'bare', 'room'] as const) {
      await withCleanup(async (stage) => {
        const audiences = Array.from({ length: AUDIENCES }, () =>
          stage.add(new Peer('audience'), (each) => each.stop()),
        );
        await Promise.all(
          audiences.map((audience) => audience.call('connect', { door: doors[server], count: FAST / AUDIENCES })),
        );
        const turns = await alternate(
          { without: () => turn(server, audiences, false), with: () => turn(server, audiences, true) },
          { rounds: quick ? 2 : server === 'edge' ? 7 : 3, warmUp: 1, restMs: 200 },
          (round, all) =>
            say(
              `${NAMES[server]}: round ${round + 1}: p99 ${all.without.p99.toFixed(1)} ms, with the slow one ${all.with.p99.toFixed(1)} ms${sippedText(all.with)}`,
            ),
        );
        rows.push(...rowsOf(server, turns));
        if (server === 'edge') notes.push(...notesOf(turns.with));
      });
    }
    return { rows, notes };
  });
}

/** Snapshots begin with what the projection has, so it is there, as it is in every deployment. */
const withProjection = (facts: StackFacts): ServiceSpec[] => [
  ...toolstreamServices(facts).filter(({ name }) => name.startsWith('projection-')),
  ...edgeWithGc(facts),
];

function rowsOf(server: Server, turns: { readonly without: readonly Turn[]; readonly with: readonly Turn[] }): Row[] {
  const place = (text: string, unit: string) => ({ benchmark: 'slow-client', name: `${NAMES[server]}: ${text}`, unit });
  const p99 = ({ p99 }: Turn) => p99;
  const judged = server === 'edge' ? TARGET : undefined;
  const rows = [
    compared(
      place(`${FAST} fast clients, delay p99 / without the slow one`, 'ms'),
      turns.with.map(p99),
      turns.without.map(p99),
      judged,
    ),
    measured(
      place('waits in the process for the slow one', 'KiB'),
      turns.with.map(({ kept = 0 }) => kept / 1_024),
    ),
    measured(
      place('memory grown by', 'MiB'),
      turns.with.map(({ grown = 0 }) => mebibytes(grown)),
    ),
  ];
  if (server === 'edge') {
    const right = turns.with.map((turn) => (turn.right ? 100 : 0));
    rows.push(measured(place('the slow one ends with the right state', '%'), right, { sense: 'at_least', value: 100 }));
  }
  return rows;
}

function notesOf(turns: readonly Turn[]): string[] {
  const figure = (of: (sipped: Sipped) => number) =>
    Math.round(median(turns.flatMap(({ sipped }) => (sipped ? of(sipped) : []))));
  return [
    `the slow client was sent ${figure(({ frames }) => frames)} frames with ${figure(({ folded }) => folded)} more events folded into them, and ${figure(({ snapshots }) => snapshots)} snapshots`,
    'memory is measured after garbage collection, while the slow client still has not read',
  ];
}

const sippedText = ({ sipped, right, grown = 0, kept = 0 }: Turn): string => {
  const memory = `, ${Math.round(kept / 1_024)} KiB kept, ${mebibytes(grown).toFixed(1)} MiB grown`;
  if (!sipped) return memory;
  return `${memory}, ${sipped.frames} frames, ${sipped.snapshots} snapshots, ${right ? 'right' : 'WRONG'}${sipped.closed ? ', closed' : ''}`;
};
