import { setTimeout as sleep } from 'node:timers/promises';
import { withCleanup } from './cleanup.ts';
import { cpuSeconds } from './cpu.ts';
import { Crowds } from './crowds.ts';
import { benchRun } from './events.ts';
import type { Place } from './follower.ts';
import { settledBytes } from './memory.ts';
import type { BenchOptions } from './options.ts';
import { alternate, type Target } from './pairs.ts';
import { Peer } from './peer.ts';
import type { PublisherSetup } from './peers/publisher.ts';
import { compared, type Report } from './report.ts';
import { benchNats } from './servers.ts';
import { benchStack, edgeWithGc } from './stack.ts';

const RUNS = 50;
const PROCESSES = 2;
const TARGET: Target = { sense: 'at_most', value: 1.5 };
const QUIET_MS = 5_000;

interface Idle {
  /** Bytes of the server's memory for each connection. */
  readonly each: number;
  /** Milliseconds of processor time in a second in which nothing happens. */
  readonly cpu: number;
}

/**
 * What a connection costs on which nothing happens: for the edge one that is signed in and watches a run, for bare `ws`
 * one that is open, for socket.io one in a room. A fifth of the connections is there before the measurement begins, so
 * that compiled code and first buffers do not count.
 */
export function idle({ quick, say }: BenchOptions): Promise<Report> {
  const clients = quick ? 1_500 : 5_000;
  return withCleanup(async (cleanup) => {
    const { url: natsUrl } = await benchNats(cleanup);
    const runs = Array.from({ length: RUNS }, (_, number) => benchRun(number));
    const edge = await benchStack(cleanup, { natsUrl, databaseUrl: 'postgres://not.needed/', services: edgeWithGc });
    const peer = (name: string) => cleanup.add(new Peer(name), (started) => started.stop());
    const publisher = peer('publisher');
    await publisher.call('setUp', { natsUrl, route: 'log', runs, toolsPerRun: 4 } satisfies PublisherSetup);
    const peers = { bare: peer('broadcast'), room: peer('room') };
    const portOf = async (of: Peer) => (await of.call<{ port: number }>('start')).port;
    const [barePort, roomPort] = [await portOf(peers.bare), await portOf(peers.room)];
    const tokens = await Promise.all(Array.from({ length: clients }, (_, number) => edge.tokenOf(`user-${number}`)));
    const places: Record<'edge' | 'bare' | 'room', Place[]> = { edge: [], bare: [], room: [] };
    for (const [number, token] of tokens.entries()) {
      const { run } = runs[number % RUNS]!;
      places.edge.push({ server: 'edge', url: edge.edgeUrl, token, run });
      places.bare.push({ server: 'bare', port: barePort, run });
      places.room.push({ server: 'room', port: roomPort, run });
    }
    const crowds = new Crowds(cleanup, PROCESSES);
    const turn = async (server: keyof typeof places): Promise<Idle> => {
      const pid = server === 'edge' ? edge.pidOf('edge-1') : peers[server].pid;
      const first = clients / 5;
      await crowds.connect(places[server].slice(0, first));
      const before = await settledBytes(pid);
      await crowds.connect(places[server].slice(first));
      const each = ((await settledBytes(pid)) - before) / (clients - first);
      const cpuBefore = cpuSeconds(pid);
      await sleep(QUIET_MS);
      const cpu = ((cpuSeconds(pid) - cpuBefore) * 1_000) / (QUIET_MS / 1_000);
      await crowds.leave();
      await sleep(1_000);
      return { each, cpu };
    };
    const turns = await alternate(
      { edge: () => turn('edge'), bare: () => turn('bare'), room: () => turn('room') },
      { rounds: quick ? 2 : 3, warmUp: 1, restMs: 200 },
      (round, { edge: ours, bare, room }) =>
        say(
          `round ${round + 1}: ${kib(ours)} KiB per connection, bare ws ${kib(bare)}, socket.io ${kib(room)}; ${ours.cpu.toFixed(1)} ms/s of the processor`,
        ),
    );
    const what = `${clients} connections`;
    const memory = (name: string, floor: readonly Idle[], target?: Target) =>
      compared(
        { benchmark: 'idle', name: `${what}, memory of each / ${name}`, unit: 'KiB' },
        turns.edge.map(kib),
        floor.map(kib),
        target,
      );
    return {
      rows: [
        memory('bare ws', turns.bare, TARGET),
        memory('socket.io', turns.room),
        compared(
          { benchmark: 'idle', name: `${what}, processor time / socket.io`, unit: 'ms/s' },
          turns.edge.map(({ cpu }) => cpu),
          turns.room.map(({ cpu }) => cpu),
        ),
      ],
      notes: ['resident memory after garbage collection, asked for until it no longer falls'],
    };
  });
}

const kib = ({ each }: Idle): number => Math.round((10 * each) / 1_024) / 10;
