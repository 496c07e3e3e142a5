import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { type OpenOptions, type System, startSystem } from '../support/index.ts';

/** The product with the tools of `./tools.ts` besides. */
export const startRunSystem = (env: Record<string, string> = {}): Promise<System> =>
  startSystem({ env, tools: [join(import.meta.dirname, 'tools.ts')] });

/** Hands over a run and opens its page. */
export const watching =
  (system: () => System) =>
  async (...[calls, more, options]: [...Parameters<System['submit']>, options?: OpenOptions]) => {
    const run = await system().submit(calls, more);
    const page = await system().open(address(run), options);
    await page.getByRole('region', { name: 'Calls' }).waitFor();
    return { run, page };
  };

export const address = (run: string, search = ''): string => `/runs/${run}${search}`;

/** Parts of the run view, by what a person calls them. */
export const row = (page: Page, index: number): Locator =>
  page.getByRole('region', { name: 'Calls' }).locator(`li[data-index="${index}"] a`);
export const detail = (page: Page): Locator => page.getByTestId('call-detail');
export const standing = (page: Page): Locator => page.getByTestId('standing');
export const badge = (page: Page, status: string): Locator =>
  page.getByRole('heading', { level: 1 }).locator(`[data-status="${status}"]`);

export const button = (page: Page | Locator, name: string): Locator => page.getByRole('button', { name, exact: true });

/** Waits until a part of the page says this. */
export const says = (part: Locator, text: string | RegExp): Promise<void> =>
  part.filter({ hasText: text }).first().waitFor({ timeout: 30_000 });

/** A call that takes about so long, and says how far it is. */
export const long = (id: string, seconds = 60): { id: string; name: string; arguments: Record<string, number> } => ({
  id,
  name: 'talk',
  arguments: { lines: seconds * 10, ms: 100 },
});

export const write = (id: string, file_path: string) => ({
  id,
  name: 'os-write',
  arguments: { file_path, content: 'export const answer = 42;\n'.repeat(20) },
});
