import { withCleanup } from './cleanup.ts';
import { cpuSeconds } from './cpu.ts';
import { benchRun } from './events.ts';
import type { BenchOptions } from './options.ts';
import { alternate, ascending, median, quantile, type Target } from './pairs.ts';
import { Peer } from './peer.ts';
import type { Arrivals } from './peers/audience.ts';
import type { Broadcast } from './peers/broadcast.ts';
import type { Emission, PublisherSetup } from './peers/publisher.ts';
import { compared, type Report, type Row } from './report.ts';
import { benchNats } from './servers.ts';
import { type Door, edgeDoor } from './socket.ts';
import { benchStack, edgeOnly } from './stack.ts';

const CLIENTS = 500;
const AUDIENCES = 2;
/** The judged rate, and one at which every event leaves in a write of its own: close events share writes in the edge. */
const RATES = [
  { rate: 60, judged: true },
  { rate: 20, judged: false },
];
const TARGET: Target = { sense: 'at_least', value: 1 };
const ARRIVAL_MS = 5_000;

interface Turn {
  readonly frames: number;
  readonly bytes: number;
  readonly cpu: number;
  readonly p50: number;
  readonly p99: number;
}

/**
 * One run to 500 clients: frames delivered per second of the serving process's own processor time. The edge reads the
 * events from NATS; the floor makes the same frames itself and hands them to `ws`. The clients are the same processes.
 */
export function fanOut({ quick, say }: BenchOptions): Promise<Report> {
  return withCleanup(async (cleanup) => {
    const { url: natsUrl } = await benchNats(cleanup);
    const run = benchRun(0);
    const edge = await benchStack(cleanup, { natsUrl, databaseUrl: 'postgres://not.needed/', services: edgeOnly });
    const peer = (name: string) => cleanup.add(new Peer(name), (started) => started.stop());
    const publisher = peer('publisher');
    const setup: PublisherSetup = { natsUrl, route: 'log', runs: [run], toolsPerRun: 64 };
    await publisher.call('setUp', setup);
    const broadcaster = peer('broadcast');
    const { port } = await broadcaster.call<{ port: number }>('start');
    const audiences = Array.from({ length: AUDIENCES }, () => peer('audience'));
    const doors: Door[] = [
      edgeDoor(edge.edgeUrl, edge.token, run.run),
      { url: `ws://127.0.0.1:${port}`, live: 'ready' },
    ];
    for (const door of doors) {
      await Promise.all(audiences.map((audience) => audience.call('connect', { door, count: CLIENTS / AUDIENCES })));
    }

    let example = '';
    const turn = async (pid: number, emit: () => Promise<{ sent: number }>): Promise<Turn> => {
      for (const audience of audiences) await audience.call('reset');
      const before = cpuSeconds(pid);
      const { sent } = await emit();
      const arrivals = await delivered(audiences, sent * CLIENTS);
      const delays = ascending(arrivals.delays);
      example ||= arrivals.example ?? '';
      return {
        frames: arrivals.frames,
        bytes: arrivals.bytes,
        cpu: cpuSeconds(pid) - before,
        p50: quantile(delays, 0.5),
        p99: quantile(delays, 0.99),
      };
    };
    const rows: Row[] = [];
    const notes = ["the edge's delays begin before the append, the floor's before its send"];
    for (const { rate, judged } of RATES) {
      const emission: Emission = { rate, seconds: quick ? 2 : 5 };
      const results = await alternate(
        {
          edge: () => turn(edge.pidOf('edge-1'), () => publisher.call('emit', emission)),
          bare: () =>
            turn(broadcaster.pid, () => broadcaster.call('emit', { ...emission, like: example } satisfies Broadcast)),
        },
        { rounds: quick || !judged ? 3 : 7, warmUp: 1, restMs: 200 },
        (round, { edge: ours, bare }) =>
          say(
            `${rate}/s: round ${round + 1}: ${perCpuSecond(ours)} frames per CPU second, bare ws ${perCpuSecond(bare)}`,
          ),
      );
      rows.push(...rowsOf(rate, results, judged));
      if (judged)
        notes.push(`a frame has ${Math.round(median(results.edge.map((each) => each.bytes / each.frames)))} bytes`);
    }
    return { rows, notes };
  });
}

function rowsOf(rate: number, { edge, bare }: Record<'edge' | 'bare', readonly Turn[]>, judged: boolean): Row[] {
  const what = `${CLIENTS} clients, ${rate} events/s`;
  const row = (name: string, unit: string, of: (turn: Turn) => number, target?: Target) =>
    compared({ benchmark: 'fan-out', name: `${what}${name} / bare ws`, unit }, edge.map(of), bare.map(of), target);
  return [
    row('', 'frames/CPU s', perCpuSecond, judged ? TARGET : undefined),
    row(', delay p50', 'ms', ({ p50 }) => p50),
    row(', delay p99', 'ms', ({ p99 }) => p99),
  ];
}

const perCpuSecond = ({ frames, cpu }: Turn): number => Math.round(frames / cpu);

/** What all clients received, once that is everything; fails when something is missing or out of order. */
async function delivered(audiences: readonly Peer[], expected: number): Promise<Arrivals> {
  const until = performance.now() + ARRIVAL_MS;
  for (;;) {
    const parts = await Promise.all(audiences.map((audience) => audience.call<Arrivals>('read')));
    const sum = (of: (part: Arrivals) => number) => parts.reduce((total, part) => total + of(part), 0);
    const frames = sum((part) => part.frames);
    const disordered = sum((part) => part.disordered);
    if (disordered > 0) throw new Error(`frames_disordered: ${disordered} frames had a cursor that did not grow`);
    if (frames === expected) {
      const example = parts[0]?.example;
      const delays = parts.flatMap((part) => part.delays);
      const counts = {
        frames,
        bytes: sum((part) => part.bytes),
        disordered,
        others: sum((part) => part.others),
        delays,
      };
      return example === undefined ? counts : { ...counts, example };
    }
    if (performance.now() > until) throw new Error(`frames_missing: ${frames} of ${expected} arrived`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
