import { allArrived, FramesMissing } from './arrivals.ts';
import { withCleanup } from './cleanup.ts';
import { cpuSeconds } from './cpu.ts';
import { benchRun } from './events.ts';
import type { BenchOptions } from './options.ts';
import { alternate, median, type Quantiles, quantilesOf, type Target } from './pairs.ts';
import { Peer } from './peer.ts';
import type { PublisherSetup } from './peers/publisher.ts';
import { compared, measured, type Report, type Row } from './report.ts';
import { type Load, saturate } from './saturation.ts';
import { benchNats } from './servers.ts';
import { bareDoor, type Door, edgeDoor, roomDoor } from './socket.ts';
import { benchStack, edgeOnly } from './stack.ts';

const CLIENTS = 500;
const AUDIENCES = 2;
const RATES = [60, 120, 240, 480, 960, 1920, 3840, 7680];
/** Rates of everyday use: at the lower one every event leaves in a write of its own. */
const STEADY = [60, 20];
const PEERS = { bare: { name: 'bare ws', target: 1.3 }, room: { name: 'socket.io', target: 1.6 } } as const;
const ARRIVAL_MS = 5_000;
/** Long enough to see whether a rate is too much. */
const LOOK_S = 2;
/** Longer than this many times the planned time: behind. */
const LATE = 1.2;

type Contender = 'edge' | keyof typeof PEERS;

interface Turn extends Load, Quantiles {
  readonly frames: number;
  readonly bytes: number;
  readonly cpu: number;
  /** From the first event to the last arrival. */
  readonly seconds: number;
}

/**
 * One run to 500 clients: frames delivered per second of the serving process's own processor time. The edge reads the
 * events from NATS; `ws` and socket.io make the same frames themselves and send them. The clients are the same processes.
 * Judged is what each gives at its most: at the rate that keeps it busy, or the last one that its clients take for sure.
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
    const peers = { bare: peer('broadcast'), room: peer('room') };
    const portOf = async (of: Peer) => (await of.call<{ port: number }>('start')).port;
    const doors: Record<Contender, Door> = {
      edge: edgeDoor(edge.edgeUrl, edge.token, run.run),
      bare: bareDoor(await portOf(peers.bare)),
      room: roomDoor(await portOf(peers.room), run.run),
    };
    let audiences: Peer[] = [];
    /** Clients that were given more than they take have fallen back on snapshots: others come in their place. */
    const gather = async () => {
      await Promise.all(audiences.map((audience) => audience.stop()));
      audiences = Array.from({ length: AUDIENCES }, () => peer('audience'));
      for (const door of Object.values(doors)) {
        await Promise.all(audiences.map((audience) => audience.call('connect', { door, count: CLIENTS / AUDIENCES })));
      }
    };
    await gather();

    let example = '';
    const turn = async (contender: Contender, rate: number, seconds = quick ? LOOK_S : 4): Promise<Turn> => {
      for (const audience of audiences) await audience.call('reset');
      const pid = contender === 'edge' ? edge.pidOf('edge-1') : peers[contender].pid;
      const before = cpuSeconds(pid);
      const began = performance.now();
      const emission = { rate, seconds, like: example, rooms: [run.run] };
      const from = contender === 'edge' ? publisher : peers[contender];
      const { sent } = await from.call<{ sent: number }>('emit', emission);
      const arrivals = await allArrived(audiences, sent * CLIENTS, ARRIVAL_MS);
      const took = (performance.now() - began) / 1_000;
      const cpu = cpuSeconds(pid) - before;
      example ||= arrivals.example ?? '';
      const { frames, bytes, delays } = arrivals;
      const late = took > seconds * LATE;
      return { rate, frames, bytes, cpu, seconds: took, busy: cpu / took, late, ...quantilesOf(delays) };
    };

    const saturation = {} as Record<Contender, number>;
    const notes = ["the edge's delays begin before the append, those of the others before their send"];
    for (const contender of ['edge', 'bare', 'room'] as const) {
      const { load, saturated } = await saturate(RATES, async (rate) => {
        const offered = await turn(contender, rate, LOOK_S).catch(notTaken);
        if (offered) say(`${contender} at ${rate}/s: ${turnText(offered)}`);
        else await gather();
        return offered;
      });
      // Where the clients are the limit, what they took for a moment is more than they take again and again.
      saturation[contender] = saturated ? load.rate : (RATES[RATES.indexOf(load.rate) - 1] ?? load.rate);
      if (!saturated) {
        const limit = `at ${load.rate} events/s its clients took no more, while it was ${percent(load.busy)} busy`;
        notes.push(`${contender}: ${limit}; measured at ${saturation[contender]}`);
      }
    }

    const atSaturation = await alternate(
      {
        edge: () => turn('edge', saturation.edge),
        bare: () => turn('bare', saturation.bare),
        room: () => turn('room', saturation.room),
        /** As much as is the most for bare `ws`. */
        edgeAtBare: () => turn('edge', saturation.bare),
      },
      { rounds: quick ? 3 : 7, warmUp: 1, restMs: 300 },
      (round, all) => say(`at its most: round ${round + 1}: ${roundText(all)}`),
    );
    const rows = saturationRows(atSaturation);
    notes.push(`a frame has ${Math.round(median(atSaturation.edge.map((each) => each.bytes / each.frames)))} bytes`);
    for (const rate of STEADY) {
      const steady = await alternate(
        { edge: () => turn('edge', rate), bare: () => turn('bare', rate), room: () => turn('room', rate) },
        { rounds: quick ? 3 : 5, warmUp: 1, restMs: 200 },
        (round, all) => say(`${rate}/s: round ${round + 1}: ${roundText(all)}`),
      );
      rows.push(...steadyRows(rate, steady));
    }
    return { rows, notes };
  });
}

type Turns = Readonly<Record<Contender, readonly Turn[]>>;

const CPU = 'frames/CPU s';
const perCpuSecond = ({ frames, cpu }: Turn): number => Math.round(frames / cpu);

function saturationRows(turns: Turns & { readonly edgeAtBare: readonly Turn[] }): Row[] {
  const rates = (of: Contender) => turns[of][0]!.rate;
  const rows: Row[] = [];
  for (const [peer, { name, target }] of Object.entries(PEERS) as [keyof typeof PEERS, (typeof PEERS)['bare']][]) {
    const judged: Target = { sense: 'at_least', value: target };
    const what = `at its most (${rates('edge')} and ${rates(peer)} events/s) / ${name}`;
    rows.push(row(what, CPU, turns.edge, turns[peer], perCpuSecond, judged));
  }
  const same: Target = { sense: 'at_least', value: PEERS.bare.target };
  rows.push(row(`both at ${rates('bare')} events/s / bare ws`, CPU, turns.edgeAtBare, turns.bare, perCpuSecond, same));
  for (const side of ['edge', 'bare', 'room'] as const) {
    const name = side === 'edge' ? 'edge' : PEERS[side].name;
    const figure = (text: string, unit: string, value: (turn: Turn) => number) =>
      rows.push(
        measured({ benchmark: 'fan-out', name: `at its most, ${name}: ${text}`, unit }, turns[side].map(value)),
      );
    figure('processor', '% of a core', ({ busy }) => 100 * busy);
    figure('delivered', 'frames/s', ({ frames, seconds }) => frames / seconds);
    figure('delay p50', 'ms', ({ p50 }) => p50);
  }
  return rows;
}

function steadyRows(rate: number, turns: Turns): Row[] {
  const what = `${CLIENTS} clients, ${rate} events/s`;
  return [
    row(`${what} / bare ws`, CPU, turns.edge, turns.bare, perCpuSecond),
    row(`${what} / socket.io`, CPU, turns.edge, turns.room, perCpuSecond),
    row(`${what}, delay p50 / bare ws`, 'ms', turns.edge, turns.bare, ({ p50 }) => p50),
    row(`${what}, delay p99 / bare ws`, 'ms', turns.edge, turns.bare, ({ p99 }) => p99),
  ];
}

const row = (
  name: string,
  unit: string,
  ours: readonly Turn[],
  theirs: readonly Turn[],
  of: (turn: Turn) => number,
  target?: Target,
): Row => compared({ benchmark: 'fan-out', name, unit }, ours.map(of), theirs.map(of), target);

const percent = (part: number): string => `${Math.round(100 * part)}%`;

const turnText = (turn: Turn): string =>
  `${perCpuSecond(turn)} frames per CPU second, ${percent(turn.busy)} busy, p50 ${turn.p50.toFixed(1)} ms`;

const roundText = (all: Readonly<Record<string, Turn>>): string =>
  Object.entries(all)
    .map(([name, turn]) => `${name} ${perCpuSecond(turn)} (${percent(turn.busy)})`)
    .join(', ');

/** Clients that do not keep up are an answer, anything else is a failure. */
function notTaken(error: unknown): undefined {
  if (!(error instanceof FramesMissing)) throw error;
}
