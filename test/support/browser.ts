import { findChromium } from '@toolstream/testkit';
import { type Browser, chromium } from 'playwright-core';

/** A real browser without a window. It talks to nobody but the page's own servers. */
export async function startBrowser(): Promise<Browser> {
  const { path } = await findChromium();
  return chromium.launch({
    executablePath: path,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
  });
}
