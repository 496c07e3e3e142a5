import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, MOBILE, type System, startSystem } from './support/index.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

const noop = (id = 'a') => ({ id, name: 'noop', arguments: {} });
const table = (page: Page) => page.getByRole('grid', { name: /Runs, newest first|Older runs/ });
const row = (page: Page, run: string) => table(page).getByRole('row').filter({ hasText: run });
const rows = async (page: Page): Promise<number> => (await table(page).getByRole('row').count()) - 1;

describe('the list of runs', () => {
  it('says what to do when there is none', async () => {
    const page = await system.open('/', { token: { tenant: 'nobody' } });
    await page.getByText('No runs yet').waitFor();
    await expectAccessible(page);
  });

  it('shows a run as it happens: one that comes, its progress, its end', async () => {
    const page = await system.open('/?app=moving');
    await page.getByText('No run fits these filters').waitFor();
    const run = await system.submit([{ id: 'a', name: 'talk', arguments: { lines: 60, ms: 50 } }, noop('b')], {
      app: 'moving',
    });
    await row(page, run).getByText('Running').waitFor();
    await row(page, run).getByText('talk, noop').waitFor();
    const bar = row(page, run).getByRole('progressbar');
    await expect.poll(async () => Number(await bar.getAttribute('aria-valuenow'))).toBeGreaterThan(5);
    await expectAccessible(page);
    await row(page, run).getByText('Succeeded').waitFor();
    await row(page, run).getByText('2 of 2').waitFor();
  });

  it('is live without a filter too, and says who waits for an answer', async () => {
    const page = await system.open('/');
    await table(page).waitFor();
    const run = await system.submit([{ id: 'a', name: 'guarded', arguments: { what: 'x' } }], { app: 'asking' });
    await row(page, run).getByText('Needs approval').waitFor();
    await expect.poll(() => page.getByTestId('announcements').textContent()).toMatch(/new run|approval/);
    await system.client.command(run, 'approve_tool', { index: 0 });
    await row(page, run).getByText('Succeeded').waitFor();
  });

  it('is filtered by status, app, tool and time, all of it in the address', async () => {
    await system.finished([{ id: 'a', name: 'hopeless', arguments: {} }], { app: 'filtered' });
    const good = await system.finished([noop()], { app: 'filtered' });
    const page = await system.open('/');
    await page.getByRole('button', { name: /Any status/ }).click();
    await page.getByRole('option', { name: 'Succeeded' }).click();
    await page.getByLabel('App').fill('filtered');
    await page.getByRole('button', { name: /Any tool/ }).click();
    await page.getByRole('option', { name: 'noop', exact: true }).click();
    await page.getByRole('button', { name: /Any time/ }).click();
    await page.getByRole('option', { name: 'Last hour' }).click();
    await row(page, good.run_id).waitFor();
    await expect.poll(() => rows(page)).toBe(1);
    const inAddress = () => Object.fromEntries(new URL(page.url()).searchParams);
    await expect.poll(inAddress).toEqual({ status: 'succeeded', app: 'filtered', tool: 'noop', since: 'hour' });
    await page.reload();
    await row(page, good.run_id).waitFor();
    await expect.poll(() => rows(page)).toBe(1);
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect.poll(() => rows(page)).toBeGreaterThan(1);
    expect(inAddress()).toEqual({});
  });

  it('has older pages, and ways there and back', async () => {
    for (let n = 0; n < 55; n += 11)
      await Promise.all(Array.from({ length: 11 }, () => system.finished([noop()], { app: 'many' })));
    const page = await system.open('/?app=many');
    await expect.poll(() => rows(page)).toBe(50);
    await page.getByRole('button', { name: 'Older' }).click();
    await expect.poll(() => rows(page)).toBe(5);
    await page.goBack();
    await expect.poll(() => rows(page)).toBe(50);
    await page.goForward();
    await expect.poll(() => rows(page)).toBe(5);
    await page.getByRole('button', { name: 'Newest' }).click();
    await expect.poll(() => rows(page)).toBe(50);
  });

  it('is walked by keys, and opens a run', async () => {
    const run = await system.finished([noop()], { app: 'keys' });
    const page = await system.open('/?app=keys');
    await row(page, run.run_id).waitFor();
    await page.keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('placeholder'))).toBe('Any app');
    await row(page, run.run_id).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/runs/${run.run_id}`);
    await page.getByRole('heading', { level: 1 }).filter({ hasText: 'Run' }).waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('main');
  });

  it('is a list of cards on a telephone', async () => {
    await system.finished([noop(), { id: 'b', name: 'hopeless', arguments: {} }], { app: 'small' });
    const page = await system.open('/?app=small', { viewport: MOBILE });
    await table(page).getByText('1 call failed').waitFor();
    await expectAccessible(page);
  });
});
