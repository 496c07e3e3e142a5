import { withCleanup } from './cleanup.ts';
import { cpuSeconds } from './cpu.ts';
import { benchRun } from './events.ts';
import type { BenchOptions } from './options.ts';
import { alternate, median } from './pairs.ts';
import { Peer } from './peer.ts';
import type { Arrivals } from './peers/audience.ts';
import type { Broadcast } from './peers/broadcast.ts';
import type { Emission, PublisherSetup } from './peers/publisher.ts';
import { compared, measured, type Report } from './report.ts';
import { benchNats } from './servers.ts';
import { type Door, edgeDoor } from './socket.ts';
import { benchStack, edgeOnly } from './stack.ts';

const CLIENTS = 500;
const AUDIENCES = 2;
const EVENTS_PER_SECOND = 60;
const TARGET = { sense: 'at_least', value: 1 } as const;
const ARRIVAL_MS = 5_000;

interface Turn {
  readonly frames: number;
  readonly bytes: number;
  readonly cpu: number;
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

    const emission: Emission = { rate: EVENTS_PER_SECOND, seconds: quick ? 2 : 5 };
    let example = '';
    const turn = async (pid: number, emit: () => Promise<{ sent: number }>): Promise<Turn> => {
      for (const audience of audiences) await audience.call('reset');
      const before = cpuSeconds(pid);
      const { sent } = await emit();
      const arrivals = await delivered(audiences, sent * CLIENTS);
      example ||= arrivals.example ?? '';
      return { frames: arrivals.frames, bytes: arrivals.bytes, cpu: cpuSeconds(pid) - before };
    };
    const results = await alternate(
      {
        edge: () => turn(edge.pidOf('edge-1'), () => publisher.call('emit', emission)),
        bare: () =>
          turn(broadcaster.pid, () => broadcaster.call('emit', { ...emission, like: example } satisfies Broadcast)),
      },
      { rounds: quick ? 3 : 7, warmUp: 1, restMs: 200 },
      (round, { edge: ours, bare }) =>
        say(`round ${round + 1}: ${perCpuSecond(ours)} frames per CPU second, bare ws ${perCpuSecond(bare)}`),
    );
    const place = { benchmark: 'fan-out', unit: 'frames/CPU s' };
    const name = `1 run to ${CLIENTS} clients / bare ws`;
    const bytes = median([...results.edge, ...results.bare].map((each) => each.bytes / each.frames));
    return {
      rows: [
        compared({ ...place, name }, results.edge.map(perCpuSecond), results.bare.map(perCpuSecond), TARGET),
        measured({ benchmark: 'fan-out', name: 'frame', unit: 'bytes' }, [bytes]),
      ],
      notes: [],
    };
  });
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
      const counts = { frames, bytes: sum((part) => part.bytes), disordered, others: sum((part) => part.others) };
      return example === undefined ? counts : { ...counts, example };
    }
    if (performance.now() > until) throw new Error(`frames_missing: ${frames} of ${expected} arrived`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
