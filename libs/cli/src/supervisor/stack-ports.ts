import { freePort, type PortWish } from '@toolstream/testkit';
import type { StackOptions } from './stack-options.ts';

/** The ports of the edges, which they keep over restarts. */
export async function chooseEdgePorts({ port = 4400, edges = 1 }: StackOptions): Promise<number[]> {
  if (port !== 0) return Array.from({ length: edges }, (_, index) => port + index);
  const ports = new Set<number>();
  while (ports.size < edges) ports.add(await freePort());
  return [...ports];
}

/** Every port that somebody asked for. Those that are ours to choose are free by choice. */
export function portWishes(options: StackOptions, edgePorts: readonly number[]): PortWish[] {
  const { natsUrl, natsPort, databaseUrl, postgresPort } = options;
  const remedy = 'set PORT so that it and the ports after it are free';
  const wishes: PortWish[] = edgePorts.map((port, index) => ({ port, what: `edge-${index + 1}`, remedy }));
  if (!natsUrl && natsPort) wishes.push({ port: natsPort, what: 'nats-1', remedy: 'set NATS_URL to a running server' });
  if (!databaseUrl && postgresPort) {
    wishes.push({ port: postgresPort, what: 'postgres-1', remedy: 'set DATABASE_URL to a running Postgres' });
  }
  return wishes;
}
