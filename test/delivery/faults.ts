import { type Random, sleep } from './random.ts';
import type { World } from './world.ts';
import type { RunWriter } from './writer.ts';

/** What happens to a whole world, and so to every scenario of a wave. */
export type WorldFault = { readonly atMs: number } & (
  | { readonly kind: 'edge_killed' | 'edge_drained'; readonly edge: number }
  | { readonly kind: 'nats_killed' | 'nats_restarted'; readonly downMs: number }
  | { readonly kind: 'stream_recreated' | 'stream_purged'; readonly partition: number }
  | { readonly kind: 'edges_cut_from_nats'; readonly times: number }
  | { readonly kind: 'live_messages_lost'; readonly share: number; readonly forMs: number }
  | { readonly kind: 'projection_silent' }
);

type Kind = WorldFault['kind'];
const KINDS: readonly (Kind | 'nothing')[] = [
  'nothing',
  'edge_killed',
  'edge_killed',
  'edge_drained',
  'nats_killed',
  'nats_restarted',
  'stream_recreated',
  'stream_purged',
  'stream_purged',
  'edges_cut_from_nats',
  'live_messages_lost',
  'live_messages_lost',
  'projection_silent',
];

export function planWorldFaults(random: Random, partitions: number): WorldFault[] {
  const faults: WorldFault[] = [];
  for (let count = random.int(1, 2); count > 0; count--) {
    const kind = random.pick(KINDS);
    if (kind === 'nothing' || faults.some((fault) => fault.kind === kind)) continue;
    // Without the projection nobody knows what a purged run was.
    const kinds = [kind, ...faults.map((fault) => fault.kind)];
    if (kinds.includes('projection_silent') && kinds.includes('stream_purged')) continue;
    faults.push(faultOf(kind, random, partitions));
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

function faultOf(kind: Kind, random: Random, partitions: number): WorldFault {
  const atMs = random.int(200, 1_800);
  switch (kind) {
    case 'edge_killed':
    case 'edge_drained':
      return { kind, atMs, edge: random.int(0, 1) };
    case 'nats_killed':
    case 'nats_restarted':
      return { kind, atMs, downMs: random.int(0, 600) };
    case 'stream_recreated':
    case 'stream_purged':
      return { kind, atMs, partition: random.int(0, partitions - 1) };
    case 'edges_cut_from_nats':
      return { kind, atMs, times: random.int(1, 3) };
    case 'live_messages_lost':
      return { kind, atMs: 0, share: random.pick([0.02, 0.2, 1]), forMs: random.int(500, 3_000) };
    case 'projection_silent':
      return { kind, atMs: 0 };
  }
}

/** Carries a wave's faults out; resolves when everything is repaired. */
export async function befall(
  world: World,
  faults: readonly WorldFault[],
  wave: { random: Random; writers(): readonly RunWriter[]; say(text: string): void },
): Promise<void> {
  await Promise.all(
    faults.map(async (fault) => {
      await sleep(fault.atMs);
      wave.say(JSON.stringify(fault));
      await carryOut(world, fault, wave.random, wave.writers);
      wave.say(`${fault.kind}: over`);
    }),
  );
}

async function carryOut(
  world: World,
  fault: WorldFault,
  random: Random,
  writers: () => readonly RunWriter[],
): Promise<void> {
  switch (fault.kind) {
    case 'edge_killed':
      return world.lose('kill9', fault.edge);
    case 'edge_drained':
      return world.lose('drain', fault.edge);
    case 'nats_killed':
      await world.nats.kill9();
      await sleep(fault.downMs);
      return world.nats.restart();
    case 'nats_restarted':
      return world.nats.restart();
    case 'stream_recreated':
      return world.store.recreate(fault.partition);
    case 'stream_purged':
      await world.store.purgeStream(fault.partition, () => purgeable(writers(), fault.partition));
      return;
    case 'edges_cut_from_nats':
      for (let times = fault.times; times > 0; times--) {
        for (const edge of world.edges) edge.link.cut();
        await sleep(random.int(50, 900));
      }
      return;
    case 'live_messages_lost':
      return loseLive(world, random, fault.share, fault.forMs);
    case 'projection_silent':
      world.store.projectionAnswers = false;
  }
}

/** Nothing that a writer still needs: no subject loses its last event, and no run all of its. */
function purgeable(writers: readonly RunWriter[], partition: number): number {
  const bounds = writers.filter((writer) => writer.partition === partition && writer.purgeable > 0);
  return bounds.length === 0 ? 0 : Math.min(...bounds.map((writer) => writer.purgeable));
}

async function loseLive(world: World, random: Random, share: number, forMs: number): Promise<void> {
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    for (const edge of world.edges) edge.link.loses = () => random.chance(share);
    await sleep(100);
  }
  for (const edge of world.edges) edge.link.loses = () => false;
}

/** What happens to one client, on its way to the edge. */
export type LineFault =
  | { readonly kind: 'cut'; readonly afterBytes: number; readonly reset: boolean }
  | { readonly kind: 'stall'; readonly forMs: number }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number; readonly forMs: number }
  | { readonly kind: 'delay'; readonly delayMs: number; readonly forMs: number };

export function planLineFault(random: Random): LineFault {
  const kind = random.pick(['cut', 'cut', 'cut', 'stall', 'slow', 'delay'] as const);
  switch (kind) {
    case 'cut':
      return { kind, afterBytes: random.int(0, 4_000), reset: random.chance(0.5) };
    case 'stall':
      return { kind, forMs: random.pick([200, 800, 1_500, 4_500]) };
    case 'slow':
      return { kind, bytesPerSecond: random.pick([1_000, 10_000, 100_000]), forMs: random.int(500, 2_500) };
    case 'delay':
      return { kind, delayMs: random.int(10, 300), forMs: random.int(300, 2_000) };
  }
}
