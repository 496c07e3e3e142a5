import type { RunState } from '@toolstream/proto-events';
import type { Locator, Page } from 'playwright-core';
import type { OpenOptions, System } from '../support/index.ts';

/** The view at `path`, which begins with `/new`. */
export async function openNewRun(system: System, path: string, options: OpenOptions = {}): Promise<Page> {
  const page = await system.open(path, options);
  await page.getByRole('heading', { level: 1, name: 'New run' }).waitFor();
  return page;
}

/** Writes into a field with suggestions, and closes them. */
export async function suggest(field: Locator, text: string): Promise<void> {
  await field.fill(text);
  await field.press('Escape');
}

export async function addCall(page: Page, tool: string): Promise<Locator> {
  const before = await page.getByTestId('call').count();
  await suggest(page.getByRole('region', { name: 'Or pick a tool' }).getByRole('combobox', { name: 'Tool' }), tool);
  await page.getByRole('button', { name: 'Add a call' }).click();
  return page.getByTestId('call').nth(before);
}

/** Hands over, and follows the run whose page comes. */
export async function startedOn(system: System, page: Page): Promise<RunState> {
  await page.getByRole('button', { name: 'Start the run' }).click();
  return runOn(system, page);
}

/** The run whose page comes, at its end. */
export async function runOn(system: System, page: Page): Promise<RunState> {
  await page.waitForURL(/\/runs\/\d+-/);
  return system.client.watch(new URL(page.url()).pathname.split('/').at(-1)!).done;
}
