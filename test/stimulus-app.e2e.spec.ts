import { type Example, type SAMPLE, startExample } from '@toolstream/example-stimulus';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Line } from './delivery/proxy.ts';
import { startBrowser } from './support/browser.ts';
import { startTestStack, type TestStack, until } from './support/stack.ts';

let t: TestStack;
let browser: Browser;
let example: Example;
/** The way from the page to the edge. */
let line: Line;
let reachable = true;
/** What the page's token allows. */
let scope = 'runs:read runs:control';
let seconds = 600;
let tokens = 0;
let open: BrowserContext[] = [];
const faults: string[] = [];
beforeAll(async () => {
  [t, browser] = await Promise.all([startTestStack({ env: { TOOLSTREAM_TOKEN_GRACE_MS: '1000' } }), startBrowser()]);
  line = new Line(() => (reachable ? Number(new URL(t.url).port) : undefined));
  await line.open();
  example = await startExample({
    toolstream: `http://127.0.0.1:${line.port}`,
    client: t.client(),
    app: 'page',
    pageToken: () => {
      tokens++;
      return t.token({ apps: ['page'], scope, expiresInSeconds: seconds });
    },
  });
}, 900_000);
afterAll(async () => {
  await browser?.close();
  await example?.close();
  await line?.close();
  await t?.stop();
});
afterEach(async () => {
  reachable = true;
  scope = 'runs:read runs:control';
  seconds = 600;
  await Promise.all(open.map((context) => context.close()));
  open = [];
  expect(faults.splice(0)).toEqual([]);
});

async function visit(message: string, script: 'page' | 'cable' | 'element' = 'page'): Promise<Page> {
  const context = await browser.newContext();
  open.push(context);
  const page = await context.newPage();
  page.on('pageerror', ({ message: fault }) => faults.push(fault));
  await page.goto(`${example.url}/${script}/${message}`);
  return page;
}

const steps = (id: string, count: number, ms: number) => ({ id, name: 'steps', arguments: { steps: count, ms } });
const write = (id: string, path: string, lines: number) => ({
  id,
  name: 'os-write',
  arguments: { file_path: path, content: 'export const x = 1;\n'.repeat(lines) },
});
const submit = (message_id: string, tool_calls: object[]) =>
  t.client().submit({ app: 'page', message_id, tool_calls: tool_calls as typeof SAMPLE });

/** What is there for somebody who sees it, and for somebody who hears it. */
const summary = (page: Page, text: RegExp) => page.getByRole('status').filter({ hasText: text });
const items = (page: Page) =>
  page.getByRole('listitem').evaluateAll((all) =>
    all.map((item) => {
      const text = (part: string) => item.querySelector(`[data-part="${part}"]`)?.textContent ?? '';
      const { value, hidden } = item.querySelector('progress') as HTMLProgressElement;
      return {
        name: text('name'),
        status: text('status').replace(/[\d.]+ m?s/, 'n'),
        message: text('message'),
        details: text('details'),
        progress: hidden ? undefined : value,
      };
    }),
  );
const measured = (page: Page, index: number, least: number) =>
  until(`${least} % of call ${index}`, 30_000, async () => ((await items(page))[index]?.progress ?? 0) >= least);

describe('The Stimulus page', () => {
  it('shows a run from before it has begun to its end: tools, progress, how it went', async () => {
    const page = await visit('first');
    await summary(page, /^Nothing has been asked for yet/).waitFor();
    expect(await page.getByRole('button', { name: 'Pause' }).isDisabled()).toBe(true);
    await submit('first', [write('a', 'src/a.ts', 40), steps('b', 10, 100), { id: 'c', name: 'nobody-has-it' }]);
    await summary(page, /^Running: 1 of 3 tools/).waitFor();
    await measured(page, 1, 20);
    const { overall } = await page.evaluate(() => ({
      overall: (document.querySelector('[aria-label="All tools"]') as HTMLProgressElement).position,
    }));
    expect(overall).toBeGreaterThan(1 / 3);
    expect(overall).toBeLessThan(1);
    await summary(
      page,
      /^Done, not everything succeeded: 2 of 3 tools succeeded in [\d.]+ m?s, 1 file created, 40 lines written$/,
    ).waitFor();
    expect(await items(page)).toMatchObject([
      { name: 'os-write', status: 'Done in n', message: 'File src/a.ts created', progress: 100 },
      { name: 'steps', status: 'Done in n', details: 'done: 10', progress: 100 },
      { name: 'nobody-has-it', status: 'Failed', progress: undefined },
    ]);
    expect((await items(page))[0]?.details).toContain('lines written: 40');
    expect(await page.getByRole('button', { name: 'Cancel' }).isDisabled()).toBe(true);
  });

  it('pauses, resumes and cancels, from the keyboard', async () => {
    const page = await visit('steered');
    const { run_id } = await submit('steered', [steps('a', 30, 100), steps('b', 100, 100)]);
    await measured(page, 0, 10);
    await page.getByRole('button', { name: 'Pause' }).focus();
    await page.keyboard.press('Enter');
    await summary(page, /^Paused: 0 of 2 tools/).waitFor();
    expect((await t.client().get(run_id)).status).toBe('paused');
    // The button that was pressed is the one that undoes it, and is still where the keyboard is.
    await page.keyboard.press('Enter');
    await summary(page, /^Running: 1 of 2 tools/).waitFor();
    await measured(page, 1, 5);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await summary(page, /^Cancelled: 1 of 2 tools succeeded/).waitFor();
    expect((await items(page)).map(({ status }) => status)).toEqual(['Done in n', 'Cancelled in n']);
  });

  it('asks before something is deleted, and does as it is told', async () => {
    const page = await visit('asked');
    await page.getByRole('button', { name: 'Run the sample turn' }).click();
    const approve = page.getByRole('button', { name: 'Approve' });
    await approve.waitFor();
    expect((await items(page)).at(-1)).toMatchObject({ name: 'os-delete', status: 'Waits for you' });
    await approve.click();
    await summary(page, /^Done: 4 of 4 tools succeeded/).waitFor();
    expect((await t.client().files('page', { prefix: 'src/' })).files.map(({ path }) => path)).toContain(
      'src/Hello.tsx',
    );

    await submit('asked', [
      write('a', 'src/Keep.tsx', 1),
      { id: 'b', name: 'os-delete', arguments: { file_path: 'src/Keep.tsx' } },
    ]);
    await page.getByRole('button', { name: 'Deny' }).click();
    await summary(page, /^Done, not everything succeeded: 1 of 2 tools/).waitFor();
    expect((await items(page)).map(({ name, status }) => [name, status])).toEqual([
      ['os-write', 'Done in n'],
      ['os-delete', 'Denied'],
    ]);
  });

  it('shows the same after a reload in the middle', async () => {
    const page = await visit('reloaded');
    await submit('reloaded', [write('a', 'src/b.ts', 3), steps('b', 40, 100)]);
    await measured(page, 1, 20);
    await page.reload();
    await measured(page, 1, 25);
    expect(await items(page)).toMatchObject([{ status: 'Done in n' }, { status: 'Running' }]);
    await summary(page, /^Done: 2 of 2 tools succeeded/).waitFor();
    await page.reload();
    await summary(page, /^Done: 2 of 2 tools succeeded/).waitFor();
  });

  it('says that it is offline, and knows what happened when it is back', async () => {
    const page = await visit('offline');
    await submit('offline', [steps('a', 15, 100), write('b', 'src/c.ts', 3), steps('c', 60, 100)]);
    await measured(page, 0, 10);
    reachable = false;
    line.cut();
    await page.context().setOffline(true);
    await page.getByRole('status').filter({ hasText: 'The connection is lost. The tools go on' }).waitFor();
    await until('the third call under way', 30_000, async () => {
      const { runs } = await t.client().list({ app: 'page', message_id: 'offline' });
      const { tools } = await t.client().get(runs[0]!.run_id);
      return tools[2]?.status === 'running';
    });
    expect((await items(page))[1]?.status).toBe('Waits for its turn');
    reachable = true;
    await page.context().setOffline(false);
    await page.getByRole('status').filter({ hasText: 'The connection is lost' }).waitFor({ state: 'hidden' });
    await measured(page, 2, 1);
    expect((await items(page)).map(({ status }) => status)).toEqual(['Done in n', 'Done in n', 'Running']);
    await summary(page, /^Done: 3 of 3 tools succeeded/).waitFor();
  });

  it('goes on when its token ends', async () => {
    seconds = 4;
    const page = await visit('renewed');
    seconds = 600;
    const before = tokens;
    await submit('renewed', [steps('a', 120, 100)]);
    await measured(page, 0, 95);
    expect(tokens).toBeGreaterThan(before);
    expect(await page.getByRole('alert').textContent()).toBe('');
    await summary(page, /^Done: 1 of 1 tool succeeded/).waitFor();
  });

  it('says why when a command is refused', async () => {
    scope = 'runs:read';
    const page = await visit('refused');
    const { run_id } = await submit('refused', [steps('a', 50, 100)]);
    await measured(page, 0, 2);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('alert').filter({ hasText: 'runs:control' }).waitFor();
    await t.client().command(run_id, 'cancel');
    await summary(page, /^Cancelled/).waitFor();
  });
});

describe('The same page with the stock ActionCable consumer', () => {
  it('shows a run, pauses and resumes it, and comes back after the network was away', async () => {
    const page = await visit('cable', 'cable');
    await submit('cable', [write('a', 'src/d.ts', 5), steps('b', 20, 100), steps('c', 60, 100)]);
    await measured(page, 1, 10);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    reachable = false;
    line.cut();
    await page.getByRole('status').filter({ hasText: 'The connection is lost' }).waitFor();
    reachable = true;
    await summary(page, /^3 of 3 tools succeeded in [\d.]+ m?s, 1 file created, 5 lines written$/).waitFor({
      timeout: 60_000,
    });
    expect((await items(page)).map(({ name, progress }) => [name, progress])).toEqual([
      ['os-write', 100],
      ['steps', 100],
      ['steps', 100],
    ]);
  });
});

describe('The stock consumer', () => {
  it('comes back with a new token when the old one ends', async () => {
    seconds = 4;
    const page = await visit('cable-renewed', 'cable');
    seconds = 600;
    const before = tokens;
    await submit('cable-renewed', [steps('a', 250, 100)]);
    await measured(page, 0, 5);
    await page.getByRole('status').filter({ hasText: 'The connection is lost' }).waitFor();
    await page.getByRole('status').filter({ hasText: 'The connection is lost' }).waitFor({ state: 'hidden' });
    expect(tokens).toBe(before + 1);
    await summary(page, /^1 of 1 tool succeeded/).waitFor({ timeout: 60_000 });
  });
});

describe('The custom element of a message', () => {
  it('waits for the run, shows it to its end, and then the next one', async () => {
    const page = await visit('element', 'element');
    await page.getByText('Nothing has been asked for yet').waitFor();
    const { run_id } = await submit('element', [write('a', 'src/e.ts', 5), steps('b', 100, 100)]);
    const tools = page.getByRole('region', { name: 'Tools' });
    await tools.getByRole('listitem').nth(1).waitFor();
    await until('it is under way', 30_000, async () => {
      const { tools: calls } = await t.client().get(run_id);
      return calls[1]?.status === 'running';
    });
    await tools.getByRole('button', { name: 'Pause' }).first().click();
    await until('it is paused', 30_000, async () => (await t.client().get(run_id)).status === 'paused');
    await t.client().control(run_id, 'cancel');
    await tools.getByText('Cancelled').first().waitFor();
    await submit('element', [write('a', 'src/f.ts', 5)]);
    await expect.poll(() => tools.getByRole('listitem').count(), { timeout: 30_000 }).toBe(1);
    await tools.getByText('Succeeded').first().waitFor();
  });
});
