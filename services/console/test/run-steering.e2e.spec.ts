import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/stack.ts';
import {
  address,
  badge,
  button,
  detail,
  long,
  row,
  says,
  standing,
  startRunSystem,
  watching,
  write,
} from './run/page.ts';
import type { System } from './support/index.ts';

let system: System;
beforeAll(async () => {
  system = await startRunSystem();
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

const watched = watching(() => system);
const done = (run: string) => system.client.watch(run).done;

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

  it('can be approved with changes where the arguments are kept apart, once they are there', async () => {
    const what = 'much '.repeat(60_000);
    const { page } = await watched([{ id: 'a', name: 'guarded', arguments: { what } }]);
    await page.route('**/artifacts/**', (route) => route.abort());
    await button(page.getByTestId('question'), 'Approve with changes…').click();
    const dialog = page.getByRole('dialog');
    await says(dialog, 'The arguments could not be fetched');
    await page.unroute('**/artifacts/**');
    await button(dialog, 'Try again').click();
    const field = dialog.getByRole('textbox', { name: 'Arguments' });
    expect(JSON.parse(await field.inputValue())).toEqual({ what });
    await field.fill('{"what": "little"}');
    await button(dialog, 'Approve with these arguments').click();
    await says(detail(page).getByRole('region', { name: 'Result of guarded' }), 'little');
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
