import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { projectRoot } from '@toolstream/testkit';
import type { Browser, Page } from 'playwright-core';
import type { Cleanup } from '../cleanup.ts';
import type { BenchStack } from '../stack.ts';
import { barePage } from './bare-page.ts';
import { probe } from './probe.ts';
import { type WatchedPage, watched } from './watched-page.ts';

const VIEWPORT = { width: 1280, height: 800 };
const ARRIVAL_MS = 60_000;

/** The page as everybody gets it: built for production, from the sources as they are. */
export function buildConsole(): void {
  const script = join(projectRoot() ?? process.cwd(), 'services/console/build.ts');
  const { status } = spawnSync(process.execPath, [script], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('console_not_built: what is above says why');
}

export interface Pages {
  readonly browser: Browser;
  readonly edge: BenchStack;
  readonly run: string;
}

/** The console's view of the run; `still` for somebody who wants no motion. */
export async function openRun(cleanup: Cleanup, { browser, edge, run }: Pages, still = false): Promise<WatchedPage> {
  const page = await openPage(cleanup, browser, still);
  await page.goto(`${edge.edgeUrl}/runs/${run}#token=${edge.token}`);
  return withRows(page);
}

/** The floor: the same frames from the same edge in rows of text. */
export async function openBare(cleanup: Cleanup, { browser, edge, run }: Pages): Promise<WatchedPage> {
  const socketUrl = `${edge.edgeUrl.replace('http', 'ws')}/ws`;
  return withRows(await openOwn(cleanup, browser, barePage(socketUrl, run, edge.token)));
}

/** A page on which nothing happens: what the machine and the browser take of the frames by themselves. */
export async function openEmpty(cleanup: Cleanup, { browser }: Pages): Promise<WatchedPage> {
  return watched(await openOwn(cleanup, browser, '<!doctype html><p>Empty</p>'));
}

/** A page of the benchmark's own, from a server of its own: development's edges let pages of this machine in. */
async function openOwn(cleanup: Cleanup, browser: Browser, body: string): Promise<Page> {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8').end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(server, (opened) => {
    opened.closeAllConnections();
    opened.close();
  });
  const page = await openPage(cleanup, browser, false);
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return page;
}

async function openPage(cleanup: Cleanup, browser: Browser, still: boolean): Promise<Page> {
  const reducedMotion = still ? 'reduce' : 'no-preference';
  const context = await browser.newContext({ viewport: VIEWPORT, reducedMotion });
  cleanup.add(context, (opened) => opened.close());
  const page = await context.newPage();
  // The loader of the development commands has functions say their names through this.
  await page.addInitScript('globalThis.__name = (named) => named;');
  await page.addInitScript(probe);
  return page;
}

async function withRows(page: Page): Promise<WatchedPage> {
  await page.locator('li[data-index="0"]').first().waitFor({ timeout: ARRIVAL_MS });
  return watched(page);
}
