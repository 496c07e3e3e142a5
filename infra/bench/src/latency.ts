import type { RunAddress } from '@toolstream/proto-events';
import { type Cleanup, withCleanup } from './cleanup.ts';
import { now } from './clock.ts';
import { benchRun, stampIn } from './events.ts';
import type { BenchOptions } from './options.ts';
import { alternate, type Quantiles, quantilesOf, type Target } from './pairs.ts';
import { Peer } from './peer.ts';
import type { Emission, PublisherSetup, Route } from './peers/publisher.ts';
import { compared, type Report, type Row } from './report.ts';
import { benchNats, floorStream } from './servers.ts';
import { type Door, edgeDoor, openSocket, relayDoor } from './socket.ts';
import { benchStack, edgeOnly } from './stack.ts';

const EVENTS_PER_SECOND = 500;
const P50: Target = { sense: 'at_most', value: 1.5 };
const P99: Target = { sense: 'at_most', value: 2 };
/** After the last acknowledgement, for what is still on its way to the client. */
const ARRIVAL_MS = 2_000;

interface Scene {
  readonly name: string;
  readonly runs: readonly RunAddress[];
  readonly toolsPerRun: number;
  readonly judged: boolean;
}

/**
 * How long an event takes from just before it is published, in the publisher's process, to the message event of a
 * WebSocket client in this one. Three ways with the same processes around them: the event log and the edge; a stream
 * that republishes, and a bare relay; a plain message, and a bare relay.
 */
export function latency({ quick, say }: BenchOptions): Promise<Report> {
  const many = Array.from({ length: 50 }, (_, number) => benchRun(1 + number));
  const scenes: Scene[] = [
    { name: '1 watcher', runs: [benchRun(0)], toolsPerRun: 64, judged: true },
    { name: '50 runs × 1 watcher', runs: many, toolsPerRun: 4, judged: false },
  ];
  return withCleanup(async (cleanup) => {
    const { url: natsUrl } = await benchNats(cleanup);
    await floorStream(natsUrl, 'bench', true);
    const edge = await benchStack(cleanup, { natsUrl, databaseUrl: 'postgres://not.needed/', services: edgeOnly });
    const relays = { jetstream: await startRelay(cleanup, natsUrl), core: await startRelay(cleanup, natsUrl) };
    const rows: Row[] = [];
    for (const scene of scenes) {
      rows.push(
        ...(await withCleanup(async (stage) => {
          const contender = (route: Route, doorOf: (run: RunAddress) => Door) =>
            way(stage, { natsUrl, route, runs: scene.runs, toolsPerRun: scene.toolsPerRun }, doorOf);
          const ways = {
            edge: await contender('log', ({ run }) => edgeDoor(edge.edgeUrl, edge.token, run)),
            relay: await contender('jetstream', ({ run }) => relayDoor(relays.jetstream, `live.bench.${run}.>`)),
            core: await contender('core', ({ run }) => relayDoor(relays.core, `core.bench.${run}.>`)),
          };
          const emission = { rate: EVENTS_PER_SECOND, seconds: quick ? 1.5 : 2 };
          const rounds = quick ? 3 : scene.judged ? 11 : 5;
          const results = await alternate(
            { edge: () => ways.edge(emission), relay: () => ways.relay(emission), core: () => ways.core(emission) },
            { rounds, warmUp: 1, restMs: 150 },
            (round, all) => say(`${scene.name}: round ${round + 1}: ${roundText(all)}`),
          );
          return rowsOf(scene, results);
        })),
      );
    }
    return { rows, notes: [] };
  });
}

async function startRelay(cleanup: Cleanup, natsUrl: string): Promise<number> {
  const relay = cleanup.add(new Peer('relay'), (peer) => peer.stop());
  return (await relay.call<{ port: number }>('start', { natsUrl })).port;
}

/** A publisher of its own and one connected client per run; measures one emission at a time. */
async function way(cleanup: Cleanup, setup: PublisherSetup, doorOf: (run: RunAddress) => Door) {
  const publisher = cleanup.add(new Peer('publisher'), (peer) => peer.stop());
  await publisher.call('setUp', setup);
  let delays: number[] = [];
  const received = (data: Buffer) => {
    const sentAt = stampIn(data);
    if (sentAt !== undefined) delays.push((now() - sentAt) / 1e6);
  };
  for (const run of setup.runs) cleanup.add(await openSocket(doorOf(run), received), (ws) => ws.terminate());

  return async (emission: Emission): Promise<Quantiles> => {
    delays = [];
    const { sent } = await publisher.call<{ sent: number }>('emit', emission);
    for (const until = performance.now() + ARRIVAL_MS; delays.length < sent && performance.now() < until; ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (delays.length !== sent) {
      throw new Error(`events_missing: ${sent} were sent by ${setup.route}, ${delays.length} arrived`);
    }
    return quantilesOf(delays);
  };
}

type Results = Readonly<Record<'edge' | 'relay' | 'core', readonly Quantiles[]>>;

function rowsOf(scene: Scene, { edge, relay, core }: Results): Row[] {
  const row = (q: 'p50' | 'p99', floor: readonly Quantiles[], against: string, target?: Target) =>
    compared(
      { benchmark: 'latency', name: `${scene.name}, ${q} / ${against}`, unit: 'ms' },
      edge.map((round) => round[q]),
      floor.map((round) => round[q]),
      target,
    );
  return [
    row('p50', relay, 'republish relay', scene.judged ? P50 : undefined),
    row('p99', relay, 'republish relay', scene.judged ? P99 : undefined),
    row('p50', core, 'core relay'),
    row('p99', core, 'core relay'),
  ];
}

const roundText = (all: Readonly<Record<string, Quantiles>>): string =>
  Object.entries(all)
    .map(([name, { p50, p99 }]) => `${name} ${p50.toFixed(2)}/${p99.toFixed(2)} ms`)
    .join(', ');
