import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Line } from '../../../test/delivery/proxy.ts';
import { until } from '../../../test/support/stack.ts';
import { address, badge, button, detail, long, row, says, standing, startRunSystem } from './run/page.ts';
import type { System } from './support/index.ts';

let system: System;
let line: Line;
let isDown = false;
beforeAll(async () => {
  system = await startRunSystem({ TOOLSTREAM_TOKEN_GRACE_MS: '1000' });
  line = new Line(() => (isDown ? undefined : Number(new URL(system.url).port)));
  await line.open();
}, 900_000);
afterAll(async () => {
  await line?.close();
  await system?.stop();
});
afterEach(() => system.closePages());

const opened = async (run: string, options: Parameters<System['open']>[1] = {}): Promise<Page> => {
  const page = await system.open(address(run), options);
  await row(page, 0).waitFor();
  return page;
};
const measured = async (page: Page): Promise<number> =>
  Number(await detail(page).getByRole('progressbar').getAttribute('aria-valuenow'));

describe('a page that is loaded again in the middle of a run', () => {
  it('shows the run as it stands, and follows it', async () => {
    const run = await system.submit([long('a', 20), { id: 'b', name: 'chatter', arguments: {} }]);
    const page = await opened(run);
    await until('some progress', 30_000, async () => (await measured(page)) > 10);
    const before = await measured(page);
    await page.reload();
    await until('at least as much', 20_000, async () => (await measured(page)) >= before);
    await says(page.getByTestId('output'), /line \d+ of 200/);
    expect(page.url()).not.toContain('token');
    await badge(page, 'succeeded').waitFor({ timeout: 60_000 });
  });
});

describe('a network that goes and comes back', () => {
  it('is said, what was asked waits, and what happened meanwhile is told', async () => {
    const run = await system.submit([long('a', 12), long('b', 120)]);
    const page = await system.open('/', { token: null });
    await page.goto(`http://127.0.0.1:${line.port}${address(run)}#token=${await system.t.token()}`);
    await says(row(page, 0), 'Running');
    // What a browser thinks of its network does not end its WebSockets: the line does, and before, because a browser that is
    // busy may not hear of it afterwards.
    isDown = true;
    line.cut();
    await page.context().setOffline(true);
    await says(page.locator('main'), 'This page is not up to date');
    await button(page, 'Pause').click();
    await says(page.getByTestId('wish'), /Pausing… asked by you \d\.\d s ago/);
    await until('the first call’s end', 30_000, async () =>
      (await system.client.get(run)).tools[0]?.status === 'succeeded' ? true : undefined,
    );
    await says(row(page, 0), 'Running');
    isDown = false;
    await page.context().setOffline(false);
    await badge(page, 'paused').waitFor({ timeout: 60_000 });
    await says(page.locator('main'), /You were away for .*1 call succeeded/s);
    await says(row(page, 0), 'Succeeded');
    expect(await page.getByTestId('wish').count()).toBe(0);
    expect(await page.getByText('This page is not up to date').count()).toBe(0);
    await button(page, 'Close this notice').click();
    expect(await page.getByText('You were away').count()).toBe(0);
    await system.client.command(run, 'cancel');
  });
});

describe('several pages', () => {
  it('see what is done in one of them, and who comes late sees the same', async () => {
    const run = await system.submit([long('a', 120), { id: 'b', name: 'guarded', arguments: { what: 'x' } }], {
      mode: 'parallel',
    });
    const one = await opened(run);
    const two = await opened(run, { beside: one });
    await button(one, 'Pause').click();
    await badge(two, 'paused').waitFor();
    await button(two, 'Resume').click();
    await badge(one, 'running').waitFor();
    await button(two.getByTestId('question'), 'Approve').click();
    await says(row(one, 1), 'Succeeded');

    const late = await opened(run, { token: { sub: 'late' } });
    await says(row(late, 1), 'Succeeded');
    await until('the same progress', 20_000, async () => Math.abs((await measured(late)) - (await measured(one))) < 5);
    await button(late, 'Cancel run').click();
    await button(late.getByRole('alertdialog'), 'Cancel the run').click();
    for (const page of [one, two, late]) {
      await badge(page, 'cancelled').waitFor({ timeout: 30_000 });
      await says(standing(page), /Cancelled with the run by late|Done/);
    }
  });
});

describe('a token that expires', () => {
  it('asks for another one, and goes on where it was', async () => {
    const run = await system.submit([long('a', 90)]);
    const page = await opened(run, { token: { expiresInSeconds: 6 } });
    await says(row(page, 0), 'Running');
    const dialog = page.getByRole('alertdialog', { name: 'Your token has expired' });
    await dialog.waitFor({ timeout: 60_000 });
    const before = await measured(page);
    await dialog.getByLabel('Token').fill(await system.t.token());
    await button(dialog, 'Sign in').click();
    await dialog.waitFor({ state: 'detached' });
    await until('it goes on', 60_000, async () => (await measured(page)) > before);
    await button(page, 'Pause').click();
    await badge(page, 'paused').waitFor();
    await system.client.command(run, 'cancel');
  });
});
