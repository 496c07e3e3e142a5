import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { address, badge, detail, row, says, startRunSystem } from './run/page.ts';
import { expectAccessible, type System } from './support/index.ts';

let system: System;
beforeAll(async () => {
  system = await startRunSystem({ SLOTS: '16' });
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

describe('two hundred calls in one run', () => {
  it('are all in the list, of which only what is in view is rendered, and go by keyboard', async () => {
    const calls = Array.from({ length: 200 }, (_, n) => ({
      id: `c${n}`,
      name: 'talk',
      arguments: { lines: 10, ms: 20 },
    }));
    const run = await system.submit(calls, { mode: 'parallel' });
    const page = await system.open(address(run));
    await row(page, 0).waitFor();
    await says(page.getByTestId('overall-progress'), /of 200 calls ended/);
    const items = page.getByRole('region', { name: 'Calls' }).locator('li');
    expect(await items.count()).toBeLessThan(60);
    expect(await items.first().getAttribute('aria-setsize')).toBe('200');
    await row(page, 0).focus();
    for (let n = 0; n < 40; n++) await page.keyboard.press('j');
    await page.waitForFunction(() => document.activeElement?.closest('li')?.dataset.index === '40');
    await page.keyboard.press('Enter');
    await says(detail(page), '#41 talk');
    await badge(page, 'succeeded').waitFor({ timeout: 120_000 });
    await says(page.getByTestId('summary'), '200 of 200');
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await says(row(page, 199), 'Succeeded');
    expect(await items.count()).toBeLessThan(60);
    await expectAccessible(page);
  });
});

describe('a run of ten thousand events', () => {
  it('is followed to its end, by who was there from the start and by who comes when it is over', async () => {
    const calls = Array.from({ length: 48 }, (_, n) => ({
      id: `c${n}`,
      name: 'talk',
      arguments: { lines: 220, ms: 25 },
    }));
    const run = await system.submit(calls, { mode: 'parallel' });
    const page = await system.open(address(run));
    await row(page, 0).waitFor();
    await badge(page, 'succeeded').waitFor({ timeout: 240_000 });
    const history = await system.t.history(run);
    expect(history.length).toBeGreaterThanOrEqual(10_000);
    await says(page.getByTestId('summary'), '48 of 48');
    await row(page, 1).click();
    await says(page.getByTestId('output'), 'line 220 of 220');

    const late = await system.open(address(run, '?call=1'));
    await says(late.getByTestId('summary'), '48 of 48');
    await says(late.getByTestId('output'), 'line 220 of 220');
    // Nodes of the page do not grow with the run's events.
    expect(await late.locator('*').count()).toBeLessThan(2_500);
  });
});
