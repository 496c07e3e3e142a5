import { setTimeout as sleep } from 'node:timers/promises';
import type { EdgeConfig } from '../config.ts';
import type { Client, Clients } from './clients.ts';

const SLOT_MS = 20;
/** From the last goodbye to the end of those that do not answer theirs. */
export const GOODBYE_MS = 2_000;
/** When to come back: soon, for the goodbyes themselves are spread already; and not two that left together at once. */
const RETRY_MS = { least: 50, most: 500 };

type DrainConfig = Pick<EdgeConfig, 'TOOLSTREAM_DRAIN_DELAY_MS' | 'TOOLSTREAM_DRAIN_MS'>;

/** How long a drain takes at the most. */
export const longestDrainMs = (config: DrainConfig): number =>
  config.TOOLSTREAM_DRAIN_DELAY_MS + config.TOOLSTREAM_DRAIN_MS + GOODBYE_MS;

/**
 * Empties this process so that neither the others nor its clients notice more than a reconnect.
 *
 * First it is only no longer ready, for as long as it takes until nobody is sent here; then nobody new is taken, and the
 * clients are told to go, in an order drawn at random and evenly over the time: each leaves at a uniformly random moment,
 * and no moment sees many. Who does not go is cut off. The whole takes {@link longestDrainMs} at the most.
 */
export async function drain(clients: Clients, config: DrainConfig): Promise<void> {
  clients.leave();
  if (config.TOOLSTREAM_DRAIN_DELAY_MS > 0) await sleep(config.TOOLSTREAM_DRAIN_DELAY_MS);
  clients.refuseNew();
  await sayGoodbye(clients, config.TOOLSTREAM_DRAIN_MS);
  await clients.empty(GOODBYE_MS);
  clients.close();
}

async function sayGoodbye(clients: Clients, overMs: number): Promise<void> {
  const order = shuffled(clients.all());
  const began = performance.now();
  for (let told = 0; told < order.length && clients.size > 0; ) {
    const part = overMs === 0 ? 1 : Math.min(1, (performance.now() - began) / overMs);
    for (const due = Math.ceil(order.length * part); told < due; told++) sendAway(order[told]!);
    if (told < order.length) await sleep(SLOT_MS);
  }
  // Those whose upgrade was under way when the order was made.
  for (const client of clients.all()) sendAway(client);
}

const sendAway = (client: Client): void =>
  client.drain(Math.round(RETRY_MS.least + Math.random() * (RETRY_MS.most - RETRY_MS.least)));

function shuffled<T>(items: T[]): T[] {
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [items[at], items[other]] = [items[other]!, items[at]!];
  }
  return items;
}
