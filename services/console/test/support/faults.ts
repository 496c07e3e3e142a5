import type { Page } from 'playwright-core';

/** What a network that is switched off on purpose makes a browser say. */
const OF_THE_NETWORK = /Failed to load resource|WebSocket connection to|net::ERR_|ERR_INTERNET_DISCONNECTED/;

/** Everything on a page that must not happen: uncaught errors, errors on its console, refusals of the security policy. */
export function faultsOf(page: Page, report: (fault: string) => void): void {
  page.on('pageerror', (error) => report(`${page.url()}: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !OF_THE_NETWORK.test(text)) report(`${page.url()}: ${text}`);
  });
}
