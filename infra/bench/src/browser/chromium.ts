import { CHROMIUM_ARGUMENTS, findChromium } from '@toolstream/testkit';
import { type Browser, chromium } from 'playwright-core';
import type { Cleanup } from '../cleanup.ts';

export interface StartedBrowser {
  readonly browser: Browser;
  /** Of its first process; the others are below it. */
  readonly pid: number;
}

/** A real browser without a window. */
export async function startChromium(cleanup: Cleanup): Promise<StartedBrowser> {
  const { path } = await findChromium();
  const server = await chromium.launchServer({
    executablePath: path,
    args: CHROMIUM_ARGUMENTS,
  });
  cleanup.add(server, (started) => started.close());
  const { pid } = server.process();
  if (pid === undefined) throw new Error('browser_not_started: it has no process');
  return { browser: await chromium.connect(server.wsEndpoint()), pid };
}
