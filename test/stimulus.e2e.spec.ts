import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from './support/browser.ts';
import { startTestStack, type TestStack, until } from './support/stack.ts';
import { type StimulusPage, serveStimulusPage } from './support/stimulus-page.ts';

let t: TestStack;
let browser: Browser;
let pages: StimulusPage;
const faults: string[] = [];
/** The controller calls two methods that it does not have. The stock client has done its work by then. */
const MISSING_METHODS = /^this\.onWebSocket(Connected|Disconnected) is not a function$/;
beforeAll(async () => {
  [t, browser] = await Promise.all([startTestStack(), startBrowser()]);
  pages = await serveStimulusPage(`${t.url.replace('http', 'ws')}/cable?jid=${await t.token()}`);
}, 900_000);
afterAll(async () => {
  await browser?.close();
  await pages?.close();
  await t?.stop();
});
afterEach(() => expect(faults.splice(0)).toEqual([]));

async function open(message: number): Promise<Page> {
  const page = await browser.newPage();
  page.on('pageerror', ({ message }) => {
    if (!MISSING_METHODS.test(message)) faults.push(message);
  });
  await page.goto(pages.address(message));
  await page.waitForFunction('globalThis.consumer?.connection.isOpen()');
  return page;
}

interface Shown {
  name: string;
  description: string;
  estimate: string;
  status: string;
  badge: string;
  width: string;
  text: string;
  details: string;
}

/** What somebody who looks at the page sees. */
const shown = (page: Page): Promise<{ tools: Shown[]; overall: string; summaries: string[] }> =>
  page.evaluate(() => {
    const text = (inside: Element | Document, selector: string) =>
      inside.querySelector(selector)?.textContent?.replace(/\s+/g, ' ').trim() ?? '';
    return {
      tools: [...document.querySelectorAll('.tool-execution-item')].map((item) => ({
        name: text(item, '.tool-name'),
        description: text(item, '.tool-description'),
        estimate: text(item, '.estimated-duration'),
        status: text(item, '.status-text'),
        badge: item.querySelector('.status-badge')!.className,
        width: item.querySelector<HTMLElement>('.progress-bar')!.style.width,
        text: text(item, '.progress-text'),
        details: text(item, '.progress-details'),
      })),
      overall: text(document, '.progress-summary'),
      summaries: [...document.querySelectorAll('.execution-summary')].map((summary) =>
        (summary.textContent ?? '').replace(/\s+/g, ' ').trim(),
      ),
    };
  });

const write = (id: string, path: string, lines: number) => ({
  id,
  name: 'os-write',
  arguments: { file_path: path, content: 'export const x = 1;\n'.repeat(lines) },
});
const steps = (id: string, count: number, ms: number) => ({ id, name: 'steps', arguments: { steps: count, ms } });

describe('The strategy document’s Stimulus controller, unchanged, in a real browser', () => {
  it('draws a run that began after the page: names, progress bars, Complete (…s), the summary', async () => {
    const page = await open(4711);
    const calls = [write('a', 'src/a.ts', 40), steps('b', 8, 120), write('c', 'src/c.ts', 2)];
    await t.client().submit({ app: 'stimulus', message_id: '4711', tool_calls: calls });
    await until('a call in the middle of its progress', 30_000, async () => {
      const middle = (await shown(page)).tools[1];
      return middle?.status === 'Starting...' && /^[1-9]\d?(\.\d+)?%$/.test(middle.width) ? middle : undefined;
    });
    const end = await until('the summary', 30_000, async () => {
      const now = await shown(page);
      return now.summaries.length > 0 ? now : undefined;
    });
    expect(end.tools.map(({ name }) => name)).toEqual(['os-write', 'steps', 'os-write']);
    for (const tool of end.tools) {
      expect(tool.status).toMatch(/^Complete \(\d+(\.\d+)?s\)$/);
      expect(tool.width).toBe('100%');
      expect(tool.badge).toContain('bg-green-500');
      expect(tool.description).not.toBe('');
      expect(tool.estimate).toMatch(/^~\d+(\.\d+)?s$/);
    }
    expect(end.tools[0]!.text).toBe('100% - File src/a.ts created');
    expect(end.tools[0]!.details).toContain('lines_written: 40');
    expect(end.tools[1]!.text).toBe('100% - Complete');
    expect(end.overall).toBe('3/3 tools completed (100%)');
    expect(end.summaries).toHaveLength(1);
    expect(end.summaries[0]).toMatch(/3\/3 Tools Successful \d+s Total Time 2 Files Created 42 Lines Written$/);
    await page.close();
  });

  it('draws the present state of a run for who comes late, also when it has ended', async () => {
    const { run_id } = await t.client().submit({
      app: 'stimulus',
      message_id: '4712',
      tool_calls: [steps('a', 3, 20), { id: 'b', name: 'no-such-tool', arguments: {} }],
    });
    await t.client().watch(run_id).done;
    const page = await open(4712);
    const end = await until('the summary', 30_000, async () => {
      const now = await shown(page);
      return now.summaries.length > 0 ? now : undefined;
    });
    expect(end.tools.map(({ status, width }) => [status.replace(/[\d.]+/, 'n'), width])).toEqual([
      ['Complete (ns)', '100%'],
      ['Complete (ns)', '0%'],
    ]);
    expect(end.overall).toBe('2/2 tools completed (100%)');
    expect(end.summaries[0]).toContain('1/2 Tools Successful');
    await page.close();
  });

  it('goes on where it was when its edge is killed: nothing twice, nothing missing', async () => {
    const page = await open(4713);
    const calls = [steps('a', 5, 50), steps('b', 40, 250), steps('c', 2, 20)];
    await t.client().submit({ app: 'stimulus', message_id: '4713', tool_calls: calls });
    await until('the second call under way', 30_000, async () => {
      const [first, second] = (await shown(page)).tools;
      return first?.status.startsWith('Complete') && Number.parseFloat(second!.width) > 10 ? second : undefined;
    });
    process.kill(t.stack.pidOf('edge-1')!, 'SIGKILL');
    const end = await until('the summary', 90_000, async () => {
      const now = await shown(page);
      return now.summaries.length > 0 ? now : undefined;
    });
    expect(end.tools.map(({ width }) => width)).toEqual(['100%', '100%', '100%']);
    expect(end.overall).toBe('3/3 tools completed (100%)');
    expect(end.summaries).toHaveLength(1);
    await page.close();
  });
});
