import type { RunState } from '@toolstream/proto-events';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { addCall, openNewRun, runOn, startedOn, suggest } from './new-run/page.ts';
import { expectAccessible, MOBILE, type OpenOptions, type System, startSystem } from './support/index.ts';

let system: System;
let apps = 0;
beforeAll(async () => {
  system = await startSystem();
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

const freshApp = (): string => `new-${++apps}`;
const open = (path: string, options?: OpenOptions): Promise<Page> => openNewRun(system, path, options);
const started = (page: Page): Promise<RunState> => startedOn(system, page);

describe('a call made from a schema', () => {
  it('has the values of its fields, and what the form and the JSON say is the same', async () => {
    const app = freshApp();
    const page = await open('/new');
    await suggest(page.getByRole('combobox', { name: 'App' }), app);
    const call = await addCall(page, 'talk');
    await call.getByLabel('lines (needed)').fill('3');
    await call.getByText('known', { exact: true }).click();
    await call.getByRole('tab', { name: 'JSON' }).click();
    const json = call.getByLabel('Arguments as JSON');
    expect(JSON.parse(await json.inputValue())).toMatchObject({ lines: 3 });
    await json.fill('{ "lines": 2, "known": false }');
    await call.getByRole('tab', { name: 'Form' }).click();
    expect(await call.getByLabel('lines (needed)').inputValue()).toBe('2');
    const run = await started(page);
    expect(run).toMatchObject({ status: 'succeeded', tools: [{ name: 'talk', result: { lines: 2 } }] });
    expect(run.tools[0]?.arguments).toMatchObject({ lines: 2, known: false });
  });

  it('offers the choices and parts that the schema names', async () => {
    const page = await open('/new?app=any');
    const call = await addCall(page, 'generate_image');
    await call.getByRole('button', { name: /size/ }).click();
    await page.getByRole('option', { name: '256x256' }).click();
    await call.getByLabel('prompt (needed)').fill('a house');
    await call.getByRole('tab', { name: 'JSON' }).click();
    expect(JSON.parse(await call.getByLabel('Arguments as JSON').inputValue())).toMatchObject({
      prompt: 'a house',
      size: '256x256',
    });
    await call.getByRole('tab', { name: 'Form' }).click();
    await expectAccessible(page);
  });
});

describe('the order of calls', () => {
  it('is a graph when calls are picked that others wait for', async () => {
    const app = freshApp();
    const page = await open(`/new?app=${app}`);
    for (const what of ['first', 'second', 'third']) {
      const call = await addCall(page, 'os-write');
      await call.getByLabel('file_path').fill(`${what}.md`);
      await call.getByLabel('Id').fill(what);
    }
    await page.getByRole('button', { name: /Order/ }).click();
    await page.getByRole('option', { name: 'As each call says' }).click();
    const call = (at: number) => page.getByTestId('call').nth(at);
    await call(0).getByText('third', { exact: true }).click();
    await call(1).getByText('first', { exact: true }).click();
    // The third would wait for itself over either of them.
    await call(2).getByText('There is no call that this one could wait for.').waitFor();
    const run = await started(page);
    expect(run.ordering).toBe('graph');
    expect(run.tools.map(({ call_id, depends_on }) => [call_id, depends_on])).toEqual([
      ['first', [2]],
      ['second', [0]],
      ['third', []],
    ]);
  });

  it('is that of the page: calls are moved, copied and removed', async () => {
    const page = await open('/new?app=any');
    for (const tool of ['os-write', 'talk']) await addCall(page, tool);
    await page.getByRole('button', { name: 'Move call 2 up' }).click();
    await page.getByRole('button', { name: 'Copy call 1' }).click();
    const titles = () => page.getByTestId('call').getByRole('heading').allTextContents();
    expect(await titles()).toEqual(['1. talk', '2. os-write', '3. talk']);
    await page.getByRole('button', { name: 'Remove call 2' }).click();
    expect(await titles()).toEqual(['1. talk', '2. talk']);
    expect(await page.getByLabel('Id').nth(1).inputValue()).toBe('call_2_2');
  });
});

describe('what is wrong', () => {
  it('is said before anything is handed over, at its place, and the list of it takes the focus', async () => {
    const page = await open('/new');
    const requests: string[] = [];
    page.on('request', (request) => request.method() === 'POST' && requests.push(new URL(request.url()).pathname));
    const call = await addCall(page, 'os-write');
    await page.getByRole('button', { name: 'Start the run' }).click();
    const list = page.getByRole('alert').filter({ hasText: 'to put right' });
    await list.getByText('2 things to put right').waitFor();
    expect(await list.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.getByText('Say which app the run belongs to.').first().waitFor();
    await call.getByText('This is needed.').waitFor();
    await expectAccessible(page);

    await list.getByRole('link', { name: 'Call 1' }).click();
    expect(await call.evaluate((element) => element === document.activeElement)).toBe(true);
    await call.getByLabel('file_path').fill('now.md');
    await suggest(page.getByRole('combobox', { name: 'App' }), 'not an app');
    await list.getByText('Letters, digits, - and _ only').waitFor();
    expect(requests.filter((path) => path === '/v1/runs')).toEqual([]);
    const app = freshApp();
    await suggest(page.getByRole('combobox', { name: 'App' }), app);
    await list.waitFor({ state: 'detached' });
    expect(await started(page)).toMatchObject({ app, status: 'succeeded' });
  });

  it('stands at its call when only the service finds it', async () => {
    const page = await open('/new?app=any');
    for (const path of ['a.md', 'b.md']) {
      const call = await addCall(page, 'os-write');
      await call.getByLabel('file_path').fill(path);
    }
    const second = page.getByTestId('call').nth(1);
    // Eight days: more than any call may take.
    await second.getByLabel('Time limit in seconds').fill(String(8 * 24 * 3600));
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.getByText('1 thing to put right').waitFor();
    await page.getByRole('alert').getByRole('link', { name: 'Call 2' }).waitFor();
    await second.getByLabel('Time limit in seconds').fill('60');
    expect(await started(page)).toMatchObject({ tools: [{}, { timeout_ms: 60_000 }] });
  });

  it('may be a tool that nobody serves: it is said, and does not keep the others from running', async () => {
    const app = freshApp();
    const page = await open(`/new?app=${app}`);
    await addCall(page, 'no-such-tool');
    await page.getByText('No executor serves this tool now: the call would fail').waitFor();
    const run = await started(page);
    expect(run.tools[0]).toMatchObject({ status: 'failed', error: { code: 'unknown_tool' } });
  });

  it('may be the token: without the scope nothing can be started, and the page says why', async () => {
    const page = await open('/new?app=any', { token: { scope: 'runs:read' } });
    await page.getByText('it lacks the scope runs:write').waitFor();
    expect(await page.getByRole('button', { name: 'Start the run' }).isDisabled()).toBe(true);
  });
});

describe('by the keyboard alone', () => {
  it('a run is made and started', async () => {
    const app = freshApp();
    const page = await open('/new');
    const { keyboard } = page;
    const tabTo = async (target: Locator) => {
      for (let presses = 0; presses < 80; presses++) {
        if (await target.evaluate((element) => element === document.activeElement)) return;
        await keyboard.press('Tab');
      }
      throw new Error('Tab does not lead there.');
    };
    await tabTo(page.getByRole('combobox', { name: 'App' }));
    await keyboard.type(app);
    await tabTo(page.getByRole('combobox', { name: 'Tool' }));
    await keyboard.type('os-wri');
    for (const key of ['ArrowDown', 'Enter', 'Enter']) await keyboard.press(key);
    await page.getByTestId('call').waitFor();
    await tabTo(page.getByTestId('call').getByLabel('file_path'));
    await keyboard.type('typed.md');
    await tabTo(page.getByTestId('call').getByLabel('content'));
    await keyboard.type('Typed.');
    await tabTo(page.getByRole('button', { name: 'Start the run' }));
    await keyboard.press('Enter');
    const run = await runOn(system, page);
    expect(run).toMatchObject({ app, status: 'succeeded' });
    expect(run.tools[0]?.arguments).toEqual({ file_path: 'typed.md', content: 'Typed.' });
  });
});

describe('on a telephone', () => {
  it('everything is there, and nothing sideways', async () => {
    const page = await open('/new?app=any', { viewport: MOBILE });
    await addCall(page, 'os-write');
    await page.getByTestId('call').getByLabel('content').waitFor();
    await page.getByRole('button', { name: 'Start the run' }).click();
    await page.getByText('to put right').waitFor();
    await expectAccessible(page);
  });
});
