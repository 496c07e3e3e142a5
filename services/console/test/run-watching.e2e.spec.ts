import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/stack.ts';
import { badge, button, detail, long, row, says, standing, startRunSystem, watching, write } from './run/page.ts';
import type { System } from './support/index.ts';

let system: System;
beforeAll(async () => {
  system = await startRunSystem();
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

const watched = watching(() => system);
const done = (run: string) => system.client.watch(run).done;

describe('watching a run', () => {
  it('shows each call as it happens: stage, percentage, numbers, output, and the end of all', async () => {
    const { run, page } = await watched([
      write('a', 'src/answer.ts'),
      { id: 'b', name: 'talk', arguments: { lines: 60, ms: 50 } },
    ]);
    await says(row(page, 0), 'Succeeded');
    await says(row(page, 0), '20 lines written');
    await says(detail(page), '#2 talk');
    const bar = detail(page).getByRole('progressbar');
    await until('a measured percentage', 20_000, async () => Number(await bar.getAttribute('aria-valuenow')) > 20);
    await says(detail(page), 'talking');
    await says(page.getByTestId('output'), /attempt 1: line \d+ of 60/);
    await says(page.getByTestId('overall-progress'), '1 of 2 calls ended');
    await badge(page, 'succeeded').waitFor({ timeout: 30_000 });
    expect(await page.getByTestId('celebration').count()).toBe(0);
    const { summary } = await done(run);
    const figures = page.getByTestId('summary').locator('[data-figure]');
    expect(await figures.evaluateAll((all) => all.map((one) => one.querySelector('dd')?.textContent))).toEqual([
      '2 of 2',
      expect.stringMatching(/s$/),
      String(summary!.files_created),
      String(summary!.lines_written),
    ]);
  });

  it('shows no percentage where the total is unknown', async () => {
    const { page } = await watched([{ id: 'a', name: 'talk', arguments: { lines: 100, ms: 100, known: false } }]);
    await says(standing(page), /lines so far/);
    expect(await detail(page).getByRole('progressbar').getAttribute('aria-valuenow')).toBeNull();
    expect(await row(page, 0).textContent()).not.toContain('%');
  });

  it('says how long it will still take, better the more calls have ended', async () => {
    const calls = Array.from({ length: 6 }, (_, n) => ({
      id: `c${n}`,
      name: 'talk',
      arguments: { lines: 20, ms: 100 },
    }));
    const { page } = await watched(calls);
    await says(page.getByTestId('overall-progress'), /[2-5] of 6 calls ended.*about \d+ s left/s);
  });

  it('replaces what an attempt wrote when another begins', async () => {
    const { page } = await watched([{ id: 'a', name: 'talk', arguments: { lines: 300, ms: 50, attempts: 2 } }]);
    await says(page.getByTestId('output'), /attempt 1: line \d+ of 300/);
    await says(page.getByTestId('attempts'), 'Attempt 2 of at most 5');
    await says(page.getByTestId('output'), /attempt 2: line \d+ of 300/);
    expect(await page.getByTestId('output').textContent()).not.toContain('attempt 1:');
    await says(detail(page), 'Output of attempt 2');
    await says(row(page, 0), 'attempt 2');
    await badge(page, 'succeeded').waitFor({ timeout: 30_000 });
    await says(standing(page), 'Done, at attempt 2');
  });

  it('shows the order, and what a call waits for', async () => {
    const graph = [long('a'), { ...long('b'), depends_on: ['a'] }, { ...write('c', 'c.txt'), depends_on: ['a', 'b'] }];
    const { page } = await watched(graph);
    await says(row(page, 2), 'after #1 and #2');
    await row(page, 1).click();
    await says(standing(page), 'Waits for #1');
    await detail(page).getByRole('link', { name: '#1 talk' }).click();
    await says(detail(page), '#1 talk');
  });

  it('celebrates once with who saw it succeed, never on reload', async () => {
    const { page } = await watched([long('a', 10)], {}, { motion: 'no-preference' });
    await says(row(page, 0), 'Running');
    await page.getByTestId('celebration').waitFor({ state: 'attached', timeout: 30_000 });
    await page.reload();
    await page.getByTestId('summary').waitFor();
    expect(await page.getByTestId('celebration').count()).toBe(0);
  });

  it('tells screen readers the milestones, and failures at once', async () => {
    const { page } = await watched([long('a', 10), long('b', 4), { id: 'c', name: 'hopeless', arguments: {} }]);
    const heard = (where: string, words: string) =>
      until(words, 60_000, async () => (await page.getByTestId(where).textContent())?.includes(words) ?? false);
    await heard('announcements', '1 of 3 calls ended.');
    await heard('alerts', '#3 hopeless failed: It fails on purpose, and always will.');
    await heard('alerts', 'The run ended.');
  });
});

describe('output', () => {
  it('tells the errors from the rest', async () => {
    const { page } = await watched([{ id: 'a', name: 'chatter', arguments: {} }]);
    const output = page.getByTestId('output');
    await says(output.locator('[data-channel="stdout"]'), 'all is well');
    await says(output.locator('[data-channel="stderr"]'), /errors.*something is odd/);
  });

  it('follows its end until somebody scrolls up, and again when they ask for it', async () => {
    const { page } = await watched([{ id: 'a', name: 'talk', arguments: { lines: 600, ms: 50 } }]);
    const output = page.getByTestId('output');
    const scroller = output.getByRole('region');
    const fromEnd = () => scroller.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight);
    await says(output, 'line 40 of 600');
    expect(await fromEnd()).toBeLessThan(30);
    await scroller.hover();
    await page.mouse.wheel(0, -400);
    await button(output, 'Follow the end').waitFor();
    const first = await fromEnd();
    await until('more lines', 20_000, async () => (await fromEnd()) > first + 40);
    await button(output, 'Follow the end').click();
    await until('the end', 5_000, async () => (await fromEnd()) < 30);
  });

  it('is all there on request, and what events may not hold is a file', async () => {
    const { page, run } = await watched([{ id: 'a', name: 'flood', arguments: { kilobytes: 11_000 } }]);
    await badge(page, 'succeeded').waitFor({ timeout: 90_000 });
    const { tools } = await done(run);
    expect(tools[0]?.output_rest).toBeDefined();
    const output = page.getByTestId('output');
    await says(output, 'Only the newest lines are here');
    await button(output, 'Show everything it wrote').click();
    await says(output, /10,\d\d\d lines/);
    expect(await output.locator('li').count()).toBeLessThan(200);
    await output.getByRole('region').evaluate((box) => box.scrollTo({ top: 0 }));
    await says(output, 'kilobyte 1 ');
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: /^Download the rest/ }).click();
    expect((await coming).suggestedFilename()).toBe('flood-output.txt');
  }, 200_000);

  it('that is shown whole goes on to its end, and is read but once', async () => {
    const { page } = await watched([{ id: 'a', name: 'talk', arguments: { lines: 1_500, ms: 5 } }]);
    const output = page.getByTestId('output');
    await button(output, 'Show everything it wrote').click();
    await output.getByRole('region', { name: 'Everything it wrote' }).waitFor();
    const fromTheStart: string[] = [];
    page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname.endsWith('/events') && !searchParams.has('cursor')) fromTheStart.push(request.url());
    });
    await badge(page, 'succeeded').waitFor({ timeout: 60_000 });
    await says(output, 'line 1500 of 1500');
    await says(output, /1,500 lines/);
    expect(fromTheStart).toEqual([]);
  });
});

describe('arguments and results', () => {
  it('are shown part by part, files lead to the app, pictures are shown', async () => {
    const { page } = await watched([
      {
        id: 'a',
        name: 'generate_image',
        arguments: { prompt: 'a lighthouse', size: '256x256', file_path: 'images/light.png' },
      },
    ]);
    await badge(page, 'succeeded').waitFor({ timeout: 60_000 });
    await says(detail(page).getByRole('region', { name: 'Result of generate_image' }), '256x256');
    const picture = detail(page).getByRole('img', { name: 'The file images/light.png' });
    await until('the picture', 20_000, () =>
      picture.evaluate((image) => (image as HTMLImageElement).naturalWidth === 256),
    );
    const link = detail(page).getByRole('link', { name: 'images/light.png' });
    expect(await link.getAttribute('href')).toBe('/apps/shop?file=images%2Flight.png');
  });

  it('that are kept apart are fetched on request', async () => {
    const { page } = await watched([{ id: 'a', name: 'large', arguments: {} }]);
    await badge(page, 'succeeded').waitFor({ timeout: 30_000 });
    await says(detail(page), 'Kept apart:');
    await button(detail(page), 'Show it').click();
    await says(detail(page), 'A large result');
    await detail(page)
      .getByRole('button', { name: /items.*4,000 items/ })
      .click();
    await says(detail(page), 'item number 49');
    await button(detail(page), 'Show 50 more of 4,000').click();
    await says(detail(page), 'item number 99');
  });
});
