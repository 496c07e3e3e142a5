import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { address, detail, long, row, says, startRunSystem, watching, write } from './run/page.ts';
import { expectAccessible, MOBILE, type System } from './support/index.ts';

let system: System;
beforeAll(async () => {
  system = await startRunSystem();
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

const watched = watching(() => system);

describe('the tabs', () => {
  it('are part of the address, and the way back leads through them', async () => {
    const run = await system.finished([write('a', 'tabs.txt')]);
    const page = await system.open(address(run.run_id));
    for (const [name, words] of [
      ['Timeline', 'os-write'],
      ['Events', 'run.accepted'],
      ['Files', 'tabs.txt'],
    ] as const) {
      await page.getByRole('tab', { name }).click();
      await says(page.getByRole('tabpanel', { name }), words);
      expect(new URL(page.url()).searchParams.get('tab')).toBe(name.toLowerCase());
    }
    await page.goBack();
    await page.getByRole('tabpanel', { name: 'Events' }).waitFor();
    await page.getByRole('tab', { name: 'Calls' }).click();
    await row(page, 0).waitFor();
    expect(new URL(page.url()).search).toBe('');
  });
});

describe('by keyboard', () => {
  it('goes from call to call, opens them, and lists its keys', async () => {
    const { page } = await watched([long('a'), write('b', 'b.txt'), write('c', 'c.txt')]);
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await says(detail(page), '#2 os-write');
    expect(new URL(page.url()).searchParams.get('call')).toBe('1');
    await page.keyboard.press('?');
    await says(page.getByRole('dialog', { name: 'Keys' }), 'Pause or resume the run');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Follow what runs' }).click();
    await says(detail(page), '#1 talk');
  });
});

describe('for everybody', () => {
  const states: Record<string, () => Promise<Page>> = {
    'a run that goes on': async () => {
      const { page } = await watched([long('a', 20), write('b', 'b.txt')]);
      await says(page.getByTestId('output'), /line \d+ of/);
      return page;
    },
    'a question': async () => (await watched([{ id: 'a', name: 'for-bob', arguments: {} }])).page,
    'a failure': async () => {
      const run = await system.finished([
        write('a', 'a.txt'),
        { id: 'b', name: 'hopeless', arguments: {} },
        { id: 'c', name: 'chatter', arguments: {} },
      ]);
      return system.open(address(run.run_id, '?call=1'));
    },
    'a success': async () => {
      const run = await system.finished([write('a', 'a.txt'), { id: 'c', name: 'chatter', arguments: {} }]);
      return system.open(address(run.run_id));
    },
  };
  for (const [name, open] of Object.entries(states)) {
    it(`is accessible, light and dark: ${name}`, async () => {
      const page = await open();
      await detail(page).waitFor();
      await expectAccessible(page);
    });
  }

  it('fits a telephone: the list, then the call, then back', async () => {
    const { page } = await watched(
      [long('a', 20), write('b', 'a/rather/long/path/to/some/file-with-a-long-name.ts')],
      {},
      { viewport: MOBILE },
    );
    await says(row(page, 0), 'Running');
    expect(await detail(page).isVisible()).toBe(false);
    await expectAccessible(page, { themes: ['dark'] });
    await row(page, 0).click();
    await says(page.getByTestId('output'), /line \d+ of/);
    expect(await page.getByRole('region', { name: 'Calls' }).isVisible()).toBe(false);
    await expectAccessible(page, { themes: ['light'] });
    await page.getByRole('link', { name: 'All calls' }).click();
    await row(page, 1).waitFor();
  });
});
