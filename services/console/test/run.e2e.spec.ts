import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/stack.ts';
import { address, badge, button, detail, long, row, says, standing, startRunSystem } from './run/page.ts';
import { expectAccessible, MOBILE, type System } from './support/index.ts';

let system: System;
beforeAll(async () => {
  system = await startRunSystem();
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

const write = (id: string, file_path: string) => ({
  id,
  name: 'os-write',
  arguments: { file_path, content: 'export const answer = 42;\n'.repeat(20) },
});

async function watched(
  calls: Parameters<System['submit']>[0],
  more: Parameters<System['submit']>[1] = {},
  open: Parameters<System['open']>[1] = {},
) {
  const run = await system.submit(calls, more);
  const page = await system.open(address(run), open);
  await page.getByRole('region', { name: 'Calls' }).waitFor();
  return { run, page };
}

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

describe('steering a run', () => {
  it('pauses and resumes it, by button and by key', async () => {
    const { run, page } = await watched([long('a'), write('b', 'b.txt')]);
    await says(row(page, 0), 'Running');
    await button(page, 'Pause').click();
    await badge(page, 'paused').waitFor();
    await says(row(page, 0), /Paused\. Last: /);
    await says(page.getByTestId('overall-progress'), 'paused');
    await page.keyboard.press('p');
    await badge(page, 'running').waitFor();
    expect(await system.t.history(run).then((events) => events.map(({ event }) => event.type))).toEqual(
      expect.arrayContaining(['run.paused.v1', 'run.resumed.v1']),
    );
  });

  it('cancels it after a question, with the reason', async () => {
    const { run, page } = await watched([long('a'), write('b', 'b.txt')]);
    await says(row(page, 0), 'Running');
    await page.keyboard.press('c');
    const dialog = page.getByRole('alertdialog', { name: 'Cancel this run?' });
    await dialog.getByRole('textbox').fill('wrong branch');
    await button(dialog, 'Cancel the run').click();
    await badge(page, 'cancelled').waitFor({ timeout: 30_000 });
    await says(page.getByTestId('summary'), 'Cancelled by ann: wrong branch');
    expect((await done(run)).cancel?.reason).toBe('wrong branch');
  });

  it('cancels one call, and tries a failed one again', async () => {
    const { run, page } = await watched([long('a'), { id: 'b', name: 'second', arguments: {} }, long('c')], {
      mode: 'parallel',
    });
    await row(page, 1).click();
    await says(page.getByTestId('failure'), 'Not the first time.');
    await says(page.getByTestId('failure'), 'What to do:');
    await button(page.getByTestId('failure'), 'Retry it now').click();
    await says(detail(page), 'Succeeded');
    await row(page, 0).click();
    await button(detail(page), 'Cancel call').click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByRole('textbox').fill('not this one');
    await button(dialog, 'Cancel the call').click();
    await says(standing(page), 'Cancelled by ann: not this one');
    await says(row(page, 2), 'Running');
    await system.client.command(run, 'cancel');
    const { tools } = await done(run);
    expect(tools.map(({ status }) => status)).toEqual(['cancelled', 'succeeded', 'cancelled']);
  });

  it('runs it again, from the beginning or from a call', async () => {
    const run = (await system.finished([write('a', 'a.txt'), { id: 'b', name: 'hopeless', arguments: {} }])).run_id;
    const page = await system.open(address(run, '?call=1'));
    await button(detail(page), 'Run again from here').click();
    await page.waitForURL((url) => !url.pathname.includes(run));
    await says(row(page, 0), 'hopeless');
    expect(await row(page, 1).count()).toBe(0);
    await page.getByRole('link', { name: 'the run before' }).click();
    await page.waitForURL((url) => url.pathname.includes(run));
    await button(page, 'Run again').click();
    await page.waitForURL((url) => !url.pathname.includes(run));
    await says(row(page, 1), 'hopeless');
  });

  it('offers nothing that the token does not allow', async () => {
    const run = await system.submit([long('a', 10)]);
    const page = await system.open(address(run), { token: { scope: 'runs:read' } });
    await says(page.locator('main'), 'Your token may watch this run, not steer it');
    for (const name of ['Pause', 'Cancel run', 'Run again'])
      expect(await button(page, name).isDisabled(), name).toBe(true);
    await page.keyboard.press('c');
    expect(await page.getByRole('alertdialog').count()).toBe(0);
  });

  it('says what the service refused, and what that means', async () => {
    const { run, page } = await watched([{ id: 'a', name: 'guarded', arguments: { what: 'x' } }]);
    await button(detail(page), 'Approve with changes…').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Arguments' }).fill('{"what": 5}');
    await button(dialog, 'Approve with these arguments').click();
    const refusal = page.getByRole('alert').filter({ hasText: 'Call #1 was not approved' });
    await says(refusal, 'Correct the fields that the message names.');
    await button(refusal, 'Close this notice').click();
    expect(await refusal.count()).toBe(0);
    await system.client.command(run, 'cancel');
  });
});

describe('answering a call', () => {
  it('approves it, as it is or with other arguments, and denies it with a reason', async () => {
    const calls = ['one', 'two', 'three'].map((what) => ({ id: what, name: 'guarded', arguments: { what } }));
    const { run, page } = await watched(calls, { mode: 'parallel' });
    await says(page.locator('main'), '3 calls wait for an answer');
    await says(
      page.getByTestId('question'),
      'Anybody who may control runs can answer. Without an answer it is denied in',
    );
    await button(page.getByTestId('question'), 'Approve').click();
    await says(row(page, 0), 'Succeeded');

    await row(page, 1).click();
    await button(page.getByTestId('question'), 'Approve with changes…').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Arguments' }).fill('no json');
    await button(dialog, 'Approve with these arguments').click();
    await says(dialog, 'This is no JSON');
    await dialog.getByRole('textbox', { name: 'Arguments' }).fill('{"what": "changed"}');
    await dialog.getByRole('textbox', { name: /Why/ }).fill('better so');
    await button(dialog, 'Approve with these arguments').click();
    await says(detail(page).getByRole('region', { name: 'Result of guarded' }), 'changed');

    await row(page, 2).click();
    await button(page.getByTestId('question'), 'Deny…').click();
    await page.getByRole('alertdialog').getByRole('textbox').fill('too risky');
    await button(page.getByRole('alertdialog'), 'Deny it').click();
    await says(standing(page), 'Denied by ann: too risky');
    const { tools } = await done(run);
    expect(tools.map(({ status, approval }) => [status, approval?.comment])).toEqual([
      ['succeeded', undefined],
      ['succeeded', 'better so'],
      ['denied', 'too risky'],
    ]);
  });

  it('is not taken from under the hands of who answers when another one asks', async () => {
    const calls = [
      { id: 'a', name: 'talk', arguments: { lines: 100, ms: 60 } },
      { id: 'b', name: 'guarded', arguments: { what: 'later' }, depends_on: ['a'] },
      { id: 'c', name: 'guarded', arguments: { what: 'first' } },
    ];
    const { run, page } = await watched(calls);
    await says(detail(page), '#3 guarded');
    await button(page.getByTestId('question'), 'Deny…').click();
    await page.getByRole('alertdialog').getByRole('textbox').fill('not y');
    await until('another one asks', 60_000, async () =>
      (await system.client.get(run)).tools[1]?.status === 'awaiting_approval' ? true : undefined,
    );
    await page.getByRole('alertdialog').getByRole('textbox').pressSequentially('et');
    await button(page.getByRole('alertdialog'), 'Deny it').click();
    await says(row(page, 2), 'Denied by ann: not yet');
    await says(detail(page), '#2 guarded');
    await button(page.getByTestId('question'), 'Approve').click();
    await says(row(page, 1), 'Succeeded');
  });

  it('says who may answer, and lets nobody else try', async () => {
    const run = await system.submit([{ id: 'a', name: 'for-bob', arguments: {} }]);
    const scope = 'runs:read runs:control';
    const ann = await system.open(address(run), { token: { scope } });
    await says(ann.getByTestId('question'), 'bob, or an admin, can answer.');
    expect(await button(ann.getByTestId('question'), 'Approve').isDisabled()).toBe(true);
    const bob = await system.open(address(run), { token: { scope, sub: 'bob' } });
    await button(bob.getByTestId('question'), 'Approve').click();
    await badge(ann, 'succeeded').waitFor();
  });

  it('shows what a call asks, and takes the answer in its arguments', async () => {
    const { page } = await watched([{ id: 'a', name: 'curious', arguments: {} }]);
    await says(page.getByTestId('question'), 'Where should it go?');
    await button(page.getByTestId('question'), 'Approve with changes…').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Arguments' }).fill('{"where": "north"}');
    await button(dialog, 'Approve with these arguments').click();
    await says(detail(page).getByRole('region', { name: 'Result of curious' }), 'north');
  });
});

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
