import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceSpec, StackFacts } from '@toolstream/cli';
import { type Cleanup, withCleanup } from './cleanup.ts';
import { cpuSeconds } from './cpu.ts';
import { Crowds } from './crowds.ts';
import { benchRun } from './events.ts';
import type { Place } from './follower.ts';
import { SMALL_NURSERY, settledBytes } from './memory.ts';
import type { BenchOptions } from './options.ts';
import { alternate, type Target } from './pairs.ts';
import { Peer } from './peer.ts';
import type { PublisherSetup } from './peers/publisher.ts';
import { compared, measured, type Report } from './report.ts';
import { benchNats } from './servers.ts';
import { benchStack, edgeWithGc } from './stack.ts';

const RUNS = 50;
const PROCESSES = 2;
const TARGET: Target = { sense: 'at_most', value: 1.5 };
const QUIET_MS = 5_000;
/** There before the measurement begins, so that compiled code does not count. */
const FIRST = 50;

interface Idle {
  /** Bytes of the server's memory for each connection. */
  readonly each: number;
  /** Milliseconds of processor time in a second in which nothing happens. */
  readonly cpu: number;
}

/**
 * What a connection costs on which nothing happens: for the edge one that is signed in and watches a run, for bare `ws`
 * one that is open, for socket.io one in a room. Every turn has a process of its own, since one that had connections
 * before keeps their memory.
 */
export function idle({ quick, say }: BenchOptions): Promise<Report> {
  const clients = quick ? 2_000 : 10_000;
  return withCleanup(async (cleanup) => {
    const { url: natsUrl } = await benchNats(cleanup);
    const runs = Array.from({ length: RUNS }, (_, number) => benchRun(number));
    const publisher = cleanup.add(new Peer('publisher'), (started) => started.stop());
    await publisher.call('setUp', { natsUrl, route: 'log', runs, toolsPerRun: 4 } satisfies PublisherSetup);
    const runOf = (number: number) => runs[number % RUNS]!.run;
    const placesOf = (place: (number: number) => Place): Place[] =>
      Array.from({ length: clients }, (_, number) => place(number));

    const turn = (serve: (stage: Cleanup) => Promise<{ pid: number; places: readonly Place[] }>): Promise<Idle> =>
      withCleanup(async (stage) => {
        const { pid, places } = await serve(stage);
        const crowds = new Crowds(stage, PROCESSES);
        await crowds.connect(places.slice(0, FIRST));
        const before = await settledBytes(pid);
        await crowds.connect(places.slice(FIRST));
        const each = ((await settledBytes(pid)) - before) / (clients - FIRST);
        const cpuBefore = cpuSeconds(pid);
        await sleep(QUIET_MS);
        return { each, cpu: ((cpuSeconds(pid) - cpuBefore) * 1_000) / (QUIET_MS / 1_000) };
      });
    const ofEdge = async (stage: Cleanup) => {
      const edge = await benchStack(stage, { natsUrl, databaseUrl: 'postgres://not.needed/', services: small });
      const tokens = await Promise.all(Array.from({ length: clients }, (_, number) => edge.tokenOf(`user-${number}`)));
      const places = placesOf((number) => ({
        server: 'edge',
        url: edge.edgeUrl,
        token: tokens[number]!,
        run: runOf(number),
      }));
      return { pid: edge.pidOf('edge-1'), places };
    };
    const ofPeer = async (stage: Cleanup, script: 'broadcast' | 'room') => {
      const peer = stage.add(new Peer(script, SMALL_NURSERY), (started) => started.stop());
      const { port } = await peer.call<{ port: number }>('start');
      const server = script === 'broadcast' ? 'bare' : 'room';
      return { pid: peer.pid, places: placesOf((number) => ({ server, port, run: runOf(number) })) };
    };
    const turns = await alternate(
      {
        edge: () => turn(ofEdge),
        bare: () => turn((stage) => ofPeer(stage, 'broadcast')),
        room: () => turn((stage) => ofPeer(stage, 'room')),
      },
      { rounds: quick ? 1 : 3, warmUp: 0, restMs: 200 },
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
        measured(
          { benchmark: 'idle', name: `${what}, edge: processor time`, unit: 'ms/s' },
          turns.edge.map(({ cpu }) => cpu),
        ),
      ],
      notes: [
        'resident memory after garbage collection, asked for until it no longer falls; young generations of 1 MiB, for all three',
      ],
    };
  });
}

const small = (facts: StackFacts): ServiceSpec[] =>
  edgeWithGc(facts).map((spec) => ({ ...spec, execArgv: [...spec.execArgv, ...SMALL_NURSERY] }));

const kib = ({ each }: Idle): number => Math.round((10 * each) / 1_024) / 10;
