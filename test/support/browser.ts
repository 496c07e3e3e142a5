import { CHROMIUM_ARGUMENTS, findChromium } from '@toolstream/testkit';
import { type Browser, chromium } from 'playwright-core';

/** A real browser without a window. */
export async function startBrowser(): Promise<Browser> {
  const { path } = await findChromium();
  return chromium.launch({
    executablePath: path,
    args: CHROMIUM_ARGUMENTS,
  });
}
