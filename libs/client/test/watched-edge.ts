import type { RunState } from '@toolstream/proto-events';
import { afterEach, beforeEach, onTestFinished } from 'vitest';
import { type Client, type ClientOptions, createClient, type RunWatch, type WatchItem } from '../src/index.ts';
import { cursorAt, type Recorded } from './history.ts';
import { LocalEdge } from './local-edge.ts';

class LocalWorld {
  edge!: LocalEdge;

  connect(options: Partial<ClientOptions> = {}): Client {
    const client = createClient({ url: this.edge.url, token: 'a-token', ...options });
    onTestFinished(() => client.close());
    return client;
  }
}

/** An edge of its own for each test of a file. */
export function useLocalEdge(): LocalWorld {
  const world = new LocalWorld();
  beforeEach(async () => {
    world.edge = await LocalEdge.start();
  });
  afterEach(() => world.edge.stop());
  return world;
}

/** Everything that the watch gives, until it ends. */
export async function collect(watch: RunWatch): Promise<WatchItem<RunState>[]> {
  const items: WatchItem<RunState>[] = [];
  for await (const item of watch) items.push(item);
  return items;
}

export const cursorsOf = (items: readonly WatchItem<RunState>[]) =>
  items.flatMap((item) => (item.type === 'event' ? [item.cursor] : []));

export const cursorsIn = (recorded: readonly Recorded[]) => recorded.map(({ seq }) => cursorAt(seq));
