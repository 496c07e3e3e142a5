import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBrowser } from '../../../test/support/browser.ts';
import { LocalEdge } from '../../client/test/local-edge.ts';
import type { ToolstreamRunElement } from '../src/element/index.ts';
import { bundleElement, complaints, servePage } from './element-page.ts';
import { RUN, Story } from './page.tsx';

let browser: Browser;
let script: string;
let edge: LocalEdge;
let page: Page;
let complained: string[];

beforeAll(async () => {
  [browser, script] = await Promise.all([startBrowser(), bundleElement()]);
});
afterAll(() => browser?.close());
beforeEach(async () => {
  edge = await LocalEdge.start();
  page = await (await browser.newContext()).newPage();
  complained = complaints(page);
});
afterEach(async () => {
  await page.context().close();
  await edge.stop();
  expect(complained).toEqual([]);
});

const show = (attributes = '', inside = '') =>
  page.goto(
    servePage(edge, script, `<toolstream-run run="${RUN}" token="a-token" ${attributes}>${inside}</toolstream-run>`),
  );
const commands = () => edge.frames('command').map(({ command, args }) => ({ command, ...args }));
const wait = (text: string | RegExp) => page.getByText(text).first().waitFor({ timeout: 10_000 });

describe('<toolstream-run>', () => {
  it('shows a run as it goes, from one script tag and under a strict content security policy', async () => {
    const story = new Story(edge, 2);
    await show('label="Build"');
    await page.getByRole('region', { name: 'Build' }).waitFor();
    const bar = page.getByRole('progressbar', { name: 'Progress of Build' });
    await expect.poll(() => bar.getAttribute('aria-valuetext')).toMatch(/^0 of 2 calls done/);
    expect(await bar.getAttribute('value')).toBeNull();
    story.progress(1, 60, 'Half of it');
    await wait('Half of it');
    expect(await bar.getAttribute('value')).toBe('30');
    story.fail(0, 'Disk full.');
    await expect.poll(() => page.getByRole('alert').textContent()).toBe('Call 1, os-write, failed. Disk full.');
    story.succeed(1);
    story.end();
    await wait('Succeeded');
    expect(await page.getByRole('listitem').count()).toBe(2);
  });

  it('has no buttons unless asked for them, and then steers the run', async () => {
    const story = new Story(edge, 1);
    await show();
    await wait('Running');
    expect(await page.getByRole('button').count()).toBe(0);
    await page.locator('toolstream-run').evaluate((element) => element.setAttribute('controls', ''));
    edge.intercept = (frame, peer) => {
      if (frame.type !== 'command' || frame.command !== 'pause') return false;
      peer.send({ type: 'ack', id: frame.id, cursor: `e1.0:${story.pause()}` });
      return true;
    };
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await expect.poll(commands).toEqual([{ command: 'pause' }]);
    await page.getByRole('button', { name: 'Resume', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Cancel os-write' }).click();
    await expect.poll(commands).toHaveLength(2);
    expect(commands()[1]).toEqual({ command: 'cancel_tool', index: 0 });
  });

  it('asks for a reason before it cancels, by keyboard alone, and gives the focus back', async () => {
    new Story(edge, 1);
    await show('controls');
    const cancel = page.getByRole('button', { name: 'Cancel', exact: true });
    await cancel.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Cancel the run?' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await cancel.evaluate((button) => button.matches(':focus'))).toBe(true);
    expect(commands()).toEqual([]);
    await page.keyboard.press('Enter');
    await page.keyboard.type('wrong files');
    await page.keyboard.press('Enter');
    await expect.poll(commands).toEqual([{ command: 'cancel', reason: 'wrong files' }]);
  });

  it('asks what a call asks, and approves it with the answer', async () => {
    const story = new Story(edge, 1);
    story.ask(0, 'Which branch?');
    await show('controls');
    await page.getByRole('button', { name: 'Answer os-write' }).click();
    const dialog = page.getByRole('dialog', { name: 'Which branch?' });
    const json = dialog.getByRole('textbox', { name: 'Arguments (JSON)' });
    await json.fill('{ "branch": ');
    await dialog.getByRole('button', { name: 'Answer' }).click();
    expect(commands()).toEqual([]);
    await json.fill('{ "branch": "main" }');
    await dialog.getByRole('button', { name: 'Answer' }).click();
    await expect.poll(commands).toEqual([{ command: 'approve_tool', index: 0, arguments: { branch: 'main' } }]);
  });

  it('shows output where asked to, and only when it is opened', async () => {
    const story = new Story(edge, 1);
    await show('output');
    story.output(0, 'first line\n');
    await page.getByText('Output', { exact: true }).click();
    await wait('first line');
    story.output(0, 'second line\n');
    await wait(/second line/);
  });

  it('is styled by parts and custom properties, and is light or dark with the page', async () => {
    new Story(edge, 1);
    await show();
    await wait('Running');
    const colours = () =>
      page.locator('toolstream-run').evaluate((element) => {
        const run = element.shadowRoot!.querySelector('[part=run]')!;
        const { color, backgroundColor } = getComputedStyle(run);
        return { color, backgroundColor };
      });
    const light = await colours();
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await colours()).not.toEqual(light);
    await page.locator('toolstream-run').evaluate((element) => {
      element.style.setProperty('--toolstream-text', 'rgb(1, 2, 3)');
      const sheet = new CSSStyleSheet();
      sheet.replaceSync('toolstream-run::part(run) { background-color: rgb(4, 5, 6) }');
      document.adoptedStyleSheets = [sheet];
    });
    expect(await colours()).toEqual({ color: 'rgb(1, 2, 3)', backgroundColor: 'rgb(4, 5, 6)' });
  });

  it('has nothing that axe would say, light and dark, with every kind of call', async () => {
    const story = new Story(edge, 5);
    story.progress(0, 40, 'Half of it');
    story.output(0, 'a line');
    story.fail(1, 'Disk full.');
    story.succeed(2);
    story.ask(3, 'Which branch?');
    await show('controls output');
    await wait('Which branch?');
    await page.getByText('Output', { exact: true }).first().click();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.locator('toolstream-run').evaluate(() => new Promise((done) => requestAnimationFrame(done)));
      const { violations } = await new AxeBuilder({ page }).include('toolstream-run').analyze();
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      expect(found, colorScheme).toEqual([]);
    }
  });

  it('shows what is inside it until the run is known, and why it cannot be watched', async () => {
    await show('', '<p>Getting there</p>');
    await wait('The run cannot be watched: No such run.');
    expect(await page.getByText('Getting there').isVisible()).toBe(false);
  });

  it('shares one connection with the others of the page, and leaves it when it goes', async () => {
    new Story(edge, 1);
    await page.goto(servePage(edge, script, `<toolstream-run run="${RUN}" token="a"></toolstream-run>`.repeat(3)));
    await expect.poll(() => page.getByRole('listitem').count()).toBe(3);
    expect(edge.peers).toHaveLength(1);
    await page.evaluate(() => {
      // Moved, not removed: it goes on as it was.
      document.body.append(document.querySelector('toolstream-run')!);
    });
    await page.evaluate(() => document.querySelectorAll('toolstream-run').forEach((element) => void element.remove()));
    await expect.poll(() => edge.last.socket.readyState, { timeout: 5_000 }).toBe(3);
    expect(edge.peers).toHaveLength(1);
    expect(commands()).toEqual([]);
  });

  it('tells the page what happens, and takes a token function and another run', async () => {
    const story = new Story(edge, 1);
    await page.goto(servePage(edge, script, '<p>No element yet</p>'));
    await page.evaluate((run) => {
      const told: string[] = [];
      const element = document.createElement('toolstream-run');
      element.token = async () => 'a-token';
      element.run = run;
      for (const name of ['toolstream-state', 'toolstream-end', 'toolstream-error']) {
        document.addEventListener(name, () => {
          if (told.at(-1) !== name) told.push(name);
        });
      }
      Object.assign(globalThis, { told });
      document.body.append(element);
    }, RUN);
    await wait('Running');
    story.succeed(0);
    story.end();
    await wait('Succeeded');
    const told = () => page.evaluate(() => (globalThis as unknown as { told: string[] }).told);
    expect(await told()).toEqual(['toolstream-state', 'toolstream-end']);
    await page.evaluate(() => {
      document.querySelector<ToolstreamRunElement>('toolstream-run')!.run = '0-01JQZX5M9G7V3T8R2KQWERTYAC';
    });
    await wait('The run cannot be watched');
    expect((await told()).at(-1)).toBe('toolstream-error');
  });
});
