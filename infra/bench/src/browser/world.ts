import type { Cleanup } from '../cleanup.ts';
import { benchRun } from '../events.ts';
import { Peer } from '../peer.ts';
import type { PublisherSetup } from '../peers/publisher.ts';
import { benchNats } from '../servers.ts';
import { benchStack, edgeOnly } from '../stack.ts';
import { type StartedBrowser, startChromium } from './chromium.ts';
import { buildConsole, type Pages } from './pages.ts';

export const TOOLS = 50;
/** Events a second while the calls get under way. */
const FIRST_RATE = 500;

export interface World extends Pages, StartedBrowser {
  /** Publishes events of the run, evenly: so many a second, for so many seconds. */
  emit(rate: number, seconds: number): Promise<unknown>;
}

/**
 * A run whose 50 calls are all under way, an edge that serves the console, and a browser to look at it. With `lineChars`
 * every second event is a line that a tool printed.
 */
export async function openWorld(cleanup: Cleanup, { lineChars }: { lineChars?: number } = {}): Promise<World> {
  buildConsole();
  const { url: natsUrl } = await benchNats(cleanup);
  const edge = await benchStack(cleanup, {
    natsUrl,
    databaseUrl: 'postgres://not.needed/',
    services: edgeOnly,
    env: { TOOLSTREAM_DEV: '1' },
  });
  const publisher = cleanup.add(new Peer('publisher'), (started) => started.stop());
  const run = benchRun(0);
  const setup: PublisherSetup = { natsUrl, route: 'log', runs: [run], toolsPerRun: TOOLS, detailBytes: 64, lineChars };
  await publisher.call('setUp', setup);
  const started = await startChromium(cleanup);
  const emit = (rate: number, seconds: number) => publisher.call('emit', { rate, seconds });
  await emit(FIRST_RATE, 1);
  return { ...started, edge, run: run.run, emit };
}
