import type { Stats } from '@toolstream/client';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/stack.ts';
import { expectAccessible, MOBILE, type System, startSystem } from './support/index.ts';
import { allShown, becomes, figure, shown } from './support/shown.ts';

let system: System;
let stats: Stats;

const call = (id: string, name: string, args: object = {}) => ({ id, name, arguments: args as never });
const figuresOf = (name: string) => stats.tools.find((tool) => tool.name === name)!;

beforeAll(async () => {
  system = await startSystem();
  await system.finished(
    [
      ...Array.from({ length: 3 }, (_, i) => call(`s${i}`, 'steps', { steps: 3, ms: 10 })),
      call('t', 'talk', { lines: 5 }),
      call('h1', 'hopeless'),
      call('h2', 'hopeless'),
      call('bad', 'steps', { steps: 'many' }),
      call('n', 'nobody-has-this'),
    ],
    { mode: 'parallel' },
  );
  stats = await until('the figures of the run', 20_000, async () => {
    const latest = await system.client.stats('1h', { buckets: 30 });
    return latest.tools.reduce((sum, { runs }) => sum + runs, 0) === 8 ? latest : undefined;
  });
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
const table = (page: Page) => page.getByRole('grid', { name: 'Tools' });
const rowOf = (page: Page, name: string) =>
  table(page)
    .getByRole('row')
    .filter({ has: page.getByRole('link', { name: new RegExp(`^${name}:`) }) });
/** Without the header. */
const names = async (page: Page) => {
  const links = await table(page).getByRole('link').allTextContents();
  return links.map((text) => text.trim());
};
/** Bars of the calls over time, drawn when they come into sight. */
async function sparkline(page: Page, name: string): Promise<void> {
  await rowOf(page, name).scrollIntoViewIfNeeded();
  await rowOf(page, name).locator('.recharts-bar-rectangle path').first().waitFor();
}

async function choose(page: Page, label: string, option: string): Promise<void> {
  await page.getByRole('button', { name: new RegExp(`${label}$`) }).click();
  await page.getByRole('option', { name: option, exact: true }).click();
}

describe('the list of tools', () => {
  it('shows the figures that the interface gives', async () => {
    const page = await system.open('/tools');
    await heading(page, 'Tools');
    const listed = (await system.client.tools()).tools;
    await rowOf(page, 'steps').waitFor();
    await page
      .getByRole('status')
      .filter({ hasText: `${listed.length + 1} tools` })
      .waitFor();
    for (const { name, runs, failed, success_rate } of stats.tools) {
      const text = await shown(rowOf(page, name));
      expect(text, name).toContain(`${runs}`);
      expect(text, name).toContain(failed === 0 ? '100 %' : `${Math.round((success_rate ?? 0) * 1000) / 10} %`);
      if (failed > 0) expect(text, name).toContain(failed === 1 ? '1 failure' : `${failed} failures`);
    }
    expect(await shown(rowOf(page, 'nobody-has-this'))).toContain('Not announced by any executor');
    expect(await shown(rowOf(page, 'noop'))).toContain('–');
    await sparkline(page, 'steps');
  });

  it('is searched, filtered and sorted, and the address says so', async () => {
    const page = await system.open('/tools');
    await rowOf(page, 'steps').waitFor();
    await choose(page, 'Show', 'With failures');
    await becomes(() => names(page)).toEqual(['hopeless', 'nobody-has-this', 'steps']);
    await choose(page, 'Sort by', 'Most calls');
    await becomes(() => names(page)).toEqual(['steps', 'hopeless', 'nobody-has-this']);
    await page.getByRole('searchbox', { name: 'Search' }).fill('fails for GOOD');
    await becomes(() => names(page)).toEqual(['hopeless']);
    await page.getByRole('status').filter({ hasText: '1 of' }).waitFor();
    await becomes(() => new URL(page.url()).searchParams.get('sort')).toBe('calls');
    await page.reload();
    await becomes(() => names(page)).toEqual(['hopeless']);
    expect(await page.getByRole('searchbox', { name: 'Search' }).inputValue()).toBe('fails for GOOD');
    await page.getByRole('searchbox', { name: 'Search' }).fill('no tool is like this');
    await page.getByText('No tool is like that').waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await rowOf(page, 'noop').waitFor();
    expect(await page.getByRole('searchbox', { name: 'Search' }).inputValue()).toBe('');
  });

  it('is walked and opened by the keyboard alone, and one gets back', async () => {
    const page = await system.open('/tools?q=steps');
    await rowOf(page, 'steps').waitFor();
    await page.getByRole('button', { name: /Sort by$/ }).focus();
    await page.keyboard.press('Tab');
    await becomes(() => page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('row');
    await page.keyboard.press('Enter');
    await heading(page, 'steps');
    await page.goBack();
    await heading(page, 'Tools');
  });

  it('follows what happens, until it is held', async () => {
    const page = await system.open('/tools?q=noop');
    await rowOf(page, 'noop').waitFor();
    await page.getByRole('button', { name: 'Hold' }).click();
    await page.getByText(/held$/).waitFor();
    await system.finished([call('x', 'noop')]);
    const runsOf = async () => (await system.client.stats('1h')).tools.find(({ name }) => name === 'noop')?.runs;
    await until('the figures of noop', 20_000, async () => ((await runsOf()) === 1 ? true : undefined));
    expect(await shown(rowOf(page, 'noop'))).toContain('–');
    await page.getByRole('button', { name: 'Go on' }).click();
    await rowOf(page, 'noop').getByText('100 %').waitFor();
  });

  it('is accessible in light and dark, and on a telephone', async () => {
    const page = await system.open('/tools');
    await sparkline(page, 'steps');
    await expectAccessible(page);
    const phone = await system.open('/tools', { viewport: MOBILE });
    await rowOf(phone, 'steps').waitFor();
    await expectAccessible(phone);
    // A card has no header above it.
    expect(await shown(rowOf(phone, 'steps').locator('[data-label^="Duration"]'))).toMatch(/^\d/);
  });
});

describe('a tool', () => {
  it('shows its figures, its failures by code, and its figures over time as charts and as tables', async () => {
    const page = await system.open('/tools?tool=hopeless');
    await heading(page, 'hopeless');
    const { runs, failed, queue_p95_ms } = figuresOf('hopeless');
    await becomes(() => shown(figure(page, 'Calls'))).toContain(`${runs}`);
    expect(await shown(figure(page, 'Success rate'))).toMatch(/0 %\s+2 failures/);
    expect(await shown(figure(page, 'Queue time p95'))).toContain(
      `${(queue_p95_ms ?? 0) < 9.95 ? Math.round((queue_p95_ms ?? 0) * 10) / 10 : Math.round(queue_p95_ms ?? 0)} ms`,
    );
    const failures = page.getByRole('table', { name: 'Failures by code' });
    expect(await shown(failures.getByRole('row').nth(1))).toMatch(/hopeless\s+2\s+100 %/);
    await page.getByRole('button', { name: 'Show “Calls” as a table' }).focus();
    await page.keyboard.press('Enter');
    const rows = page.getByRole('table', { name: /^Calls, in parts of/ }).getByRole('row');
    const cells = await allShown(rows.getByRole('cell'));
    const failedCells = cells.filter((_, at) => at % 3 === 1).map(Number);
    expect(failedCells.reduce((sum, each) => sum + each, 0)).toBe(failed);
    expect(failedCells).toHaveLength((await rows.count()) - 1);
    await page.getByRole('button', { name: 'Show “Calls” as a chart' }).click();
    await page.locator('.recharts-bar-rectangle path').first().hover();
    const tip = page.locator('.recharts-tooltip-wrapper').first();
    await becomes(() => shown(tip)).toMatch(
      /^(\d+ \w+, )?\d\d:\d\d(:\d\d)?\s+Succeeded\s+0\s+Failed\s+[12]\s+Cancelled\s+0$/,
    );
  });

  it('says what it takes and how it is run, and leads to a new run', async () => {
    const page = await system.open('/tools?tool=talk');
    await heading(page, 'talk');
    const fields = page.getByRole('table', { name: 'Fields of talk' });
    const field = (path: string) =>
      fields.getByRole('row').filter({ has: page.getByRole('rowheader', { name: path }) });
    expect(await shown(field('lines'))).toMatch(/integer\s+Required\s+–\s+at least 1, at most 20000/);
    expect(await shown(field('known'))).toMatch(/boolean\s+Optional\s+true/);
    expect(await shown(field('attempts'))).toContain('The attempts before this one break off half way');
    await page.getByText('Raw JSON Schema').click();
    await page.getByRole('region', { name: 'JSON Schema of talk' }).getByText('"maximum": 20000').waitFor();
    expect(await shown(figure(page, 'Attempts'))).toContain('Up to 5');
    expect(await shown(figure(page, 'Runs'))).toContain('On the executor’s own loop');
    await page.goto(`${system.url}/tools?tool=guarded`);
    await heading(page, 'guarded');
    expect(await shown(figure(page, 'Approval'))).toContain('Always');
    await page.getByRole('link', { name: 'New run with this tool' }).click();
    await becomes(() => new URL(page.url()).pathname).toBe('/new');
    expect(await page.getByRole('combobox', { name: 'Tool' }).inputValue()).toBe('guarded');
    await page.getByRole('button', { name: 'Add a call' }).click();
    await page.getByTestId('call').getByLabel('what').waitFor();
  });

  it('that nobody announces, or that never was, says so', async () => {
    const page = await system.open('/tools?tool=nobody-has-this');
    await page.getByRole('heading', { name: 'Not announced' }).waitFor();
    expect(await shown(page.getByRole('table', { name: 'Failures by code' }))).toContain(
      'No executor serves a tool of this name.',
    );
    await page.goto(`${system.url}/tools?tool=never-was`);
    await page.getByText('There is no such tool').waitFor();
    await page.getByRole('link', { name: 'All tools' }).click();
    await heading(page, 'Tools');
  });

  it('is accessible in light and dark, and on a telephone', async () => {
    const page = await system.open('/tools?tool=hopeless');
    await page.locator('.recharts-bar-rectangle path').first().waitFor();
    await expectAccessible(page);
    const phone = await system.open('/tools?tool=talk', { viewport: MOBILE });
    await phone.getByRole('table', { name: 'Fields of talk' }).waitFor();
    await phone.getByText('Raw JSON Schema').click();
    await phone.getByRole('button', { name: 'Show “Duration” as a table' }).click();
    await expectAccessible(phone);
  });
});
